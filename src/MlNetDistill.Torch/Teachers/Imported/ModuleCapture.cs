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
            // A copy: the next part may write into it or, as Sequential does, release it. What the application asks it meanwhile is not ours.
            if (Environment.CurrentManagedThreadId == _thread)
                taken.Add(output.clone().DetachFromDisposeScope());
            return output;
        });
        _taps.Add((part, hook.remove, taken));
    }

    /// <summary>What the part gave, in the current dispose scope.</summary>
    public Tensor GetOutput(nn.Module<Tensor, Tensor> part, string title, string what)
    {
        var taken = _taps.Single(t => ReferenceEquals(t.Part, part)).Taken;
        return taken.Count == 1
            ? taken[0].alias()
            : throw new InvalidOperationException($"{title}: the part {part.GetName()} that ModuleTaps.{what} names ran {taken.Count} times in one pass; it must run once. " +
                (taken.Count == 0 ? "Hooks see call(...), which a module must use for its parts, and not forward(...)." : "Name a part that is used once."));
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
