using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A module in eval mode until disposed; then each of its parts is as it was.</summary>
internal sealed class EvalMode : IDisposable
{
    private readonly (nn.Module Module, bool Training)[] _before;

    public EvalMode(nn.Module module)
    {
        // A module before its parts: train() reaches down, and the parts may have been set otherwise.
        _before = [.. ModuleLock.SelfAndDescendants(module).Select(m => (m, m.training))];
        if (_before.Any(b => b.Training))
            module.eval();
    }

    public void Dispose()
    {
        foreach (var (module, training) in _before)
        {
            if (module.training != training)
                module.train(training);
        }
    }
}
