using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A module, and every part of it, for one thread at a time until disposed. Several fits may have the same module as teacher, or modules that share parts: while
/// one asks it in eval mode, another must not put it back into training mode.
/// </summary>
internal sealed class ModuleLock : IDisposable
{
    private static readonly ConditionalWeakTable<nn.Module, Gate> Gates = [];
    private readonly Stack<Gate> _taken = [];

    /// <summary>Waits for the modules.</summary>
    public ModuleLock(IEnumerable<nn.Module> modules)
    {
        // In one order for all threads, so that no two wait for each other.
        foreach (var gate in modules.SelectMany(SelfAndDescendants).Select(module => Gates.GetValue(module, _ => new Gate())).Distinct().OrderBy(gate => gate.Number))
        {
            Monitor.Enter(gate);
            _taken.Push(gate);
        }
    }

    /// <summary>A module and its parts, each before its own.</summary>
    public static IEnumerable<nn.Module> SelfAndDescendants(nn.Module module) => module.named_children().SelectMany(c => SelfAndDescendants(c.module)).Prepend(module);

    public void Dispose()
    {
        while (_taken.TryPop(out var gate))
            Monitor.Exit(gate);
    }

    private sealed class Gate
    {
        private static long _count;

        public long Number { get; } = Interlocked.Increment(ref _count);
    }
}
