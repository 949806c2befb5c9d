using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>Puts a module into eval mode until disposed, then restores the mode of each submodule.</summary>
internal sealed class EvalMode : IDisposable
{
    private readonly (nn.Module Module, bool Training)[] _before;

    public EvalMode(nn.Module module)
    {
        // A module before its submodules: train() sets them too, and they may have had another mode.
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
