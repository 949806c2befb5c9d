using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// Restores the state of the process-wide CPU generator when disposed, for code that may draw from it: TorchSharp modules (their initial weights, dropout) and
/// user-defined losses. If several run at once, the last to end restores the state that the first found.
/// </summary>
internal sealed class PreservedGenerator : IDisposable
{
    private static readonly Lock Gate = new();
    private static int _users;
    private static Tensor? _found;

    public PreservedGenerator()
    {
        lock (Gate)
        {
            if (_users++ == 0)
                _found = State();
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (--_users > 0 || _found is null)
                return;
            // Written only where it changed: another thread may be drawing.
            using var now = State();
            if (!now.bytes.SequenceEqual(_found.bytes))
                random.set_rng_state(_found);
            _found.Dispose();
            _found = null;
        }
    }

    private static Tensor State() => random.get_rng_state().DetachFromDisposeScope();
}
