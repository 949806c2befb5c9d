using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Takes the outputs of a module's parts while it lives, by hooks that its end removes.</summary>
internal sealed class ModuleCapture : IDisposable
{
    private readonly List<(nn.Module<Tensor, Tensor> Part, Action Remove, List<Tensor> Taken)> _taps = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public void Add(nn.Module<Tensor, Tensor> part)
    {
        if (_taps.Any(t => ReferenceEquals(t.Part, part)))
            return;
        List<Tensor> taken = [];
        var hook = part.register_forward_hook((_, _, output) =>
        {
            // A copy: the next part may overwrite the output or, as Sequential does, dispose it. Calls of the application on other threads are ignored.
            if (Environment.CurrentManagedThreadId == _thread)
                taken.Add(output.clone().DetachFromDisposeScope());
            return output;
        });
        _taps.Add((part, hook.remove, taken));
    }

    /// <summary>The output of the part, in the current dispose scope.</summary>
    public Tensor GetOutput(nn.Module<Tensor, Tensor> part, string title, string what)
    {
        var taken = _taps.Single(t => ReferenceEquals(t.Part, part)).Taken;
        return taken.Count == 1
            ? taken[0].alias()
            : throw new InvalidOperationException($"{title}: the part {part.GetName()} in ModuleTaps.{what} ran {taken.Count} times in one pass; it must run exactly once. " +
                (taken.Count == 0 ? "A module must run its parts by call(...), not by forward(...): hooks are invoked only by call." : "Choose a part that runs once."));
    }

    public void Dispose()
    {
        foreach (var (_, remove, taken) in _taps)
        {
            remove();
            taken.ForEach(t => t.Dispose());
        }
    }
}
