using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Copies the outputs of a module's parts, by forward hooks that are removed when it is disposed.</summary>
internal sealed class ModuleCapture : IDisposable
{
    private readonly List<(nn.Module<Tensor, Tensor> Part, Action Remove, List<Tensor> Outputs)> _taps = [];
    private readonly int _thread = Environment.CurrentManagedThreadId;

    public void Add(nn.Module<Tensor, Tensor> part)
    {
        if (_taps.Any(t => ReferenceEquals(t.Part, part)))
            return;
        List<Tensor> outputs = [];
        var hook = part.register_forward_hook((_, _, output) =>
        {
            // A copy: the next part may overwrite the output or, as Sequential does, dispose it. Calls of the application on other threads are ignored.
            if (Environment.CurrentManagedThreadId == _thread)
                outputs.Add(output.clone().DetachFromDisposeScope());
            return output;
        });
        _taps.Add((part, hook.remove, outputs));
    }

    /// <summary>The output of the part, in the current dispose scope.</summary>
    public Tensor GetOutput(nn.Module<Tensor, Tensor> part, string title, string what)
    {
        var outputs = _taps.Single(t => ReferenceEquals(t.Part, part)).Outputs;
        return outputs.Count == 1
            ? outputs[0].alias()
            : throw new InvalidOperationException($"{title}: the part {part.GetName()} in {what} ran {outputs.Count} times in one pass; it must run exactly once. " +
                (outputs.Count == 0 ? "A module must run its parts by call(...), not by forward(...): hooks are invoked only by call." : "Choose a part that runs once."));
    }

    public void Dispose()
    {
        foreach (var (_, remove, outputs) in _taps)
        {
            remove();
            outputs.ForEach(t => t.Dispose());
        }
    }
}
