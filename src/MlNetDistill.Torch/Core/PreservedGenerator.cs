using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// Restores the state of the process-wide CPU generator when disposed, for code that may draw from it: TorchSharp modules (their initial weights, dropout) and
/// user-defined losses. If several run at once, the last to end restores the state before the first.
/// </summary>
internal sealed class PreservedGenerator : IDisposable
{
    private static readonly Lock Gate = new();
    private static int _users;
    private static Tensor? _stateBefore;

    public PreservedGenerator()
    {
        lock (Gate)
        {
            if (_users++ == 0)
                _stateBefore = CopyState();
        }
    }

    public void Dispose()
    {
        lock (Gate)
        {
            if (--_users > 0 || _stateBefore is null)
                return;
            // Not written if it is unchanged, because another thread may be drawing.
            using var current = CopyState();
            if (!current.bytes.SequenceEqual(_stateBefore.bytes))
                random.set_rng_state(_stateBefore);
            _stateBefore.Dispose();
            _stateBefore = null;
        }
    }

    private static Tensor CopyState() => random.get_rng_state().DetachFromDisposeScope();
}
