using System.Runtime.InteropServices;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Looks in each step whether losses, and where it costs nothing or batches may be skipped also gradients, are finite, before the student learns from them. Reading a loss makes a GPU
/// wait, so there the losses of some steps are read together; they are then found up to <see cref="StepsRead"/> steps late, but attributed to their step.
/// </summary>
/// <param name="run">The stage.</param>
/// <param name="settings">The settings of the training.</param>
internal sealed class StepGuard(StageRun run, LoopSettings settings) : IDisposable
{
    /// <summary>Steps whose losses are read together on a GPU.</summary>
    public const int StepsRead = 16;

    private readonly bool _skips = settings.OnNonFinite.MaxSkippedBatches is not null;
    private readonly bool _defers = settings.OnNonFinite.MaxSkippedBatches is null && (settings.DefersChecks ?? run.Set.Device.type != TorchSharp.DeviceType.CPU);
    private readonly bool _isOnCpu = run.Set.Device.type == TorchSharp.DeviceType.CPU;
    private readonly Queue<PastStep> _unread = new();
    private BufferCopies? _buffers;
    private readonly long[] _lastRows = new long[NonFinitePlace.MostNamed];
    private Tensor? _lastPositions;
    private int _lastRowCount;
    private int _lastBatch;

    /// <summary>Batches of the present epoch that were not learnt from.</summary>
    public int SkippedInEpoch { get; private set; }

    /// <summary>Whether values are read some steps later.</summary>
    public bool Defers => _defers;

    /// <param name="skipped">Batches of the epoch that were not learnt from, if it is continued.</param>
    public void BeginEpoch(int skipped) => (SkippedInEpoch, _lastBatch) = (skipped, 0);

    /// <summary>Before the forward pass, which changes running statistics.</summary>
    public void BeginStep()
    {
        if (_skips)
            (_buffers ??= new BufferCopies(run)).Refresh();
    }

    /// <summary>Whether the student may learn from the values of the loss terms.</summary>
    /// <exception cref="NonFiniteLossException">It may not, and the batch may not be skipped either.</exception>
    public bool AcceptsLosses(Batch batch, IReadOnlyList<Tensor> values)
    {
        if (_defers)
        {
            if (_unread.Count == StepsRead)
                ReadLosses();
            _unread.Enqueue(new PastStep(run.Batch, Keep(batch.Positions), [.. values.Select(Keep)]));
            return true;
        }

        for (var i = 0; i < values.Count; i++)
        {
            if (!FiniteCheck.IsFinite(values[i], _isOnCpu))
                return Refuse(NamesOf([.. values.Select(value => FiniteCheck.IsFinite(value, _isOnCpu))]), batch);
        }

        return true;
    }

    /// <summary>Whether the student may learn from the gradients.</summary>
    /// <param name="batch">The rows of the step.</param>
    /// <param name="norm">The norm of the gradients, if it is known.</param>
    /// <exception cref="NonFiniteLossException">It may not, and the batch may not be skipped either.</exception>
    public bool AcceptsGradients(Batch batch, double? norm)
    {
        // Clipping by a norm that is not finite has ruined the gradients, even where only their squares were too large: it makes finite ones 0, and the others NaN.
        var isBad = norm is { } known ? !double.IsFinite(known) : _skips && !FiniteCheck.AreFinite(run.Parameters.Select(p => p.grad));
        if (isBad)
            return Refuse([NonFiniteLossException.Gradient], batch);
        return true;
    }

    /// <summary>The student has learnt from a batch.</summary>
    public void StepEnds(Batch batch)
    {
        _lastBatch = run.Batch;
        var positions = batch.Positions;
        // A sampler may dispose of the positions. Copying some numbers takes less time than keeping a tensor.
        if (_isOnCpu && positions.is_contiguous())
        {
            var rows = MemoryMarshal.Cast<byte, long>(positions.bytes);
            _lastRowCount = rows.Length;
            rows[..Math.Min(rows.Length, _lastRows.Length)].CopyTo(_lastRows);
            _lastPositions?.Dispose();
            _lastPositions = null;
            return;
        }

        _lastPositions?.Dispose();
        _lastPositions = Keep(positions);
    }

    /// <summary>Reads what was not read yet.</summary>
    /// <exception cref="NonFiniteLossException">A loss or a weight is not finite.</exception>
    public void EpochEnds()
    {
        ReadLosses();
        CheckWeights();
    }

    /// <summary>Forgets the steps of an epoch that is trained once more.</summary>
    public void Reset()
    {
        ForgetLosses();
        SkippedInEpoch = 0;
    }

    public void Dispose()
    {
        Reset();
        _lastPositions?.Dispose();
        _buffers?.Dispose();
    }

    private bool Refuse(IReadOnlyList<string> what, Batch batch)
    {
        // Answers of the teacher that are not finite are its fault, and no batch of it can be skipped.
        run.Losses.Checks.Finish();
        // Weights that are ruined already ruin every loss, and no batch is to blame but the one before.
        CheckWeights();
        var place = NonFinitePlace.Create(run.Batch, run.Set, batch.Positions);
        if (run.State.SkippedBatches >= (settings.OnNonFinite.MaxSkippedBatches ?? 0))
            throw NonFiniteCauses.CreateException(what, run, place);
        _buffers!.Restore();
        foreach (var parameter in run.Parameters)
            parameter.grad = null;
        run.State.SkippedBatches++;
        SkippedInEpoch++;
        if (run.State.SkippedBatches == 1)
        {
            settings.Warn($"{NonFiniteLossException.DescribeSubject(what)} became NaN or infinite in epoch {run.State.Epoch} of stage '{run.Stage.Name}'. The batch is skipped: batch {place.Batch} of the epoch, {place}. " +
                $"OnNonFinite allows {settings.OnNonFinite.MaxSkippedBatches} such {(settings.OnNonFinite.MaxSkippedBatches == 1 ? "batch" : "batches")} in a stage.");
        }

        return false;
    }

    private void CheckWeights()
    {
        if (!FiniteCheck.AreFinite(run.Parameters))
            throw NonFiniteCauses.CreateException([NonFiniteLossException.Weights], run, _lastBatch == 0 ? null : LastPlace());
    }

    private NonFinitePlace LastPlace() => _lastPositions is { } positions
        ? NonFinitePlace.Create(_lastBatch, run.Set, positions)
        : NonFinitePlace.Create(_lastBatch, run.Set, _lastRows.Take(_lastRowCount), _lastRowCount);

    private void ReadLosses()
    {
        if (_unread.Count == 0 || run.Losses.AreFinite())
        {
            ForgetLosses();
            return;
        }

        run.Losses.Checks.Finish();
        using var scope = NewDisposeScope();
        var terms = _unread.Peek().Values.Count;
        var finite = cat([.. _unread.SelectMany(step => step.Values).Select(value => value.to(ScalarType.Float64).reshape(1))]).isfinite().cpu().data<bool>().ToArray();
        while (_unread.TryDequeue(out var step))
        {
            using (step)
            {
                if (finite.Take(terms).Contains(false))
                    throw NonFiniteCauses.CreateException(NamesOf(finite[..terms]), run, NonFinitePlace.Create(step.Batch, run.Set, step.Positions));
                finite = finite[terms..];
            }
        }
    }

    private void ForgetLosses()
    {
        while (_unread.TryDequeue(out var step))
            step.Dispose();
    }

    private string[] NamesOf(IReadOnlyList<bool> finite) => [.. run.Stage.Loss.Terms.Where((_, i) => !finite[i]).Select(term => term.Loss.Name)];

    private static Tensor Keep(Tensor value) => value.detach().DetachFromDisposeScope();

    /// <summary>A step whose losses were not read yet.</summary>
    private sealed record PastStep(int Batch, Tensor Positions, IReadOnlyList<Tensor> Values) : IDisposable
    {
        public void Dispose()
        {
            Positions.Dispose();
            foreach (var value in Values)
                value.Dispose();
        }
    }
}
