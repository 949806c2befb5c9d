using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// Locks a module and all its submodules for one thread until disposed. Several fits may use the same module as teacher, or modules that share parts: while
/// one runs it in eval mode, another must not put it back into training mode.
/// </summary>
internal sealed class ModuleLock : IDisposable
{
    private static readonly ConditionalWeakTable<nn.Module, Gate> Gates = [];
    private readonly Stack<Gate> _taken = [];

    /// <summary>Waits until no other thread holds one of the modules.</summary>
    public ModuleLock(IEnumerable<nn.Module> modules)
    {
        // The same order on all threads, so that they cannot deadlock.
        foreach (var gate in modules.SelectMany(SelfAndDescendants).Select(module => Gates.GetValue(module, _ => new Gate())).Distinct().OrderBy(gate => gate.Number))
        {
            Monitor.Enter(gate);
            _taken.Push(gate);
        }
    }

    /// <summary>A module and its submodules, each before its own submodules.</summary>
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
