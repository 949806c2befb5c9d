using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Which rows are trained on and which are held out to validate on: rows of the same set, or a set of their own.</summary>
internal sealed class DataSplit : IDisposable
{
    private readonly bool _ownsValidationSet;
    private Tensor? _given;

    private DataSplit(IRowSource validationSet, Tensor training, Tensor? validation, bool ownsValidationSet = false)
    {
        ValidationSet = validationSet;
        Training = training;
        Validation = validation;
        _ownsValidationSet = ownsValidationSet;
    }

    /// <summary>Positions in the training set that are trained on, 64-bit.</summary>
    public Tensor Training { get; private set; }

    /// <summary>Positions in the training set that are trained on, without rows that were added by <see cref="Add"/>.</summary>
    public Tensor Given => _given ?? Training;

    /// <summary>Number of rows that were added.</summary>
    public long Added => Training.shape[0] - Given.shape[0];

    /// <summary>The set that <see cref="Validation"/> points into.</summary>
    public IRowSource ValidationSet { get; private set; }

    /// <summary>Positions held out, or null for none.</summary>
    public Tensor? Validation { get; private set; }

    public static DataSplit All(IRowSource set) => new(set, Positions(set), null);

    /// <summary>
    /// Holds out a share of the labelled rows; rows without a label have nothing to validate on and are all trained on. Where no row has a label, a share of all
    /// rows is held out, to measure the student's agreement with its teacher.
    /// </summary>
    public static DataSplit ByFraction(IRowSource set, double fraction, Generator generator)
    {
        using var scope = NewDisposeScope();
        var labels = set.Labels.cpu();
        var missing = labels.IsEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        var labelled = labels.IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        if (labelled.shape[0] == 0)
            (labelled, missing) = (missing, labelled);
        var rows = labelled.shape[0];
        var held = Math.Clamp((long)Math.Round(rows * fraction), 1, Math.Max(1, rows - 1));
        var order = labelled.index_select(0, randperm(rows, device: CPU, generator: generator));
        var training = cat([order.narrow(0, held, rows - held), missing]).sort().Values;
        return new DataSplit(set, training.DetachFromDisposeScope(), order.narrow(0, 0, held).sort().Values.DetachFromDisposeScope());
    }

    /// <summary>The same rows to train on, and others of the same set to validate on, or none. It takes over their positions, which are on the device of the set.</summary>
    public DataSplit WithValidation(IRowSource set, Tensor? validation) => new(set, Training.clone(), validation) { _given = _given?.clone() };

    /// <summary>Holds out the rows where <paramref name="held"/>, N booleans on the CPU, is true.</summary>
    public static DataSplit ByMask(IRowSource set, Tensor held)
    {
        using var scope = NewDisposeScope();
        return new DataSplit(set, Where(held.logical_not()), Where(held));

        static Tensor Where(Tensor mask) => mask.nonzero().reshape(-1).DetachFromDisposeScope();
    }

    /// <summary>
    /// Trains on all of <paramref name="set"/> and validates on the labelled rows of <paramref name="validation"/>, which it takes over; on all of them where none
    /// has a label.
    /// </summary>
    public static DataSplit BySet(IRowSource set, IRowSource validation) => new(validation, Positions(set), Labelled(validation) ?? Positions(validation), true);

    /// <summary>The same held-out rows, and of the training rows only those with a label, for a network that learns from labels alone. To be disposed before this one.</summary>
    public DataSplit WithLabelledTraining(IRowSource set)
    {
        using var scope = NewDisposeScope();
        var labelled = set.Labels.index_select(0, Training).IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        return new DataSplit(ValidationSet, Training.index_select(0, labelled).DetachFromDisposeScope(), Validation?.clone().DetachFromDisposeScope());
    }

    /// <summary>Trains also on the rows that were added at the end of the set.</summary>
    /// <param name="set">The set before.</param>
    /// <param name="joined">The set with the added rows.</param>
    public void Add(IRowSource set, IRowSource joined)
    {
        using var scope = NewDisposeScope();
        var before = Training;
        Training = cat([before, TensorArithmetic.Range(joined.Count - set.Count, CPU).AddInteger(set.Count)]).DetachFromDisposeScope();
        if (_given is null)
            _given = before;
        else
            before.Dispose();
        if (ReferenceEquals(ValidationSet, set))
            ValidationSet = joined;
    }

    /// <summary>Trains on some of the rows only, and holds out some of them only, where these are of the same set.</summary>
    /// <param name="set">The set, which keeps all of its rows.</param>
    /// <param name="kept">N booleans on its device.</param>
    public void Keep(IRowSource set, Tensor kept)
    {
        using var scope = NewDisposeScope();
        (Training, _given) = (Select(Training), _given is null ? null : Select(_given));
        if (Validation is { } held && ReferenceEquals(ValidationSet, set))
            Validation = Select(held);

        Tensor Select(Tensor positions)
        {
            var selected = positions.masked_select(kept.index_select(0, positions)).DetachFromDisposeScope();
            positions.Dispose();
            return selected;
        }
    }

    /// <summary>The same split with some of the added rows only.</summary>
    /// <param name="ranges">The first position of each range of rows, and their number.</param>
    public DataSplit WithAdded(IEnumerable<(long Start, long Count)> ranges)
    {
        using var scope = NewDisposeScope();
        var added = ranges.Select(range => TensorArithmetic.Range(range.Count, Given.device).AddInteger(range.Start));
        return new DataSplit(ValidationSet, cat([Given, .. added]).DetachFromDisposeScope(), Validation?.clone().DetachFromDisposeScope())
        {
            _given = Given.clone().DetachFromDisposeScope(),
        };
    }

    /// <summary>The same split without the added rows, for training on labels. It shares the tensors of this one and is not disposed.</summary>
    public DataSplit WithoutAdded() => new(ValidationSet, Given, Validation);

    public void MoveTo(Device device)
    {
        ValidationSet.MoveTo(device);
        if (device.type == TorchSharp.DeviceType.CPU)
            return;
        (var training, var validation, var given) = (Training, Validation, _given);
        Training = training.to(device).DetachFromDisposeScope();
        _given = given?.to(device).DetachFromDisposeScope();
        given?.Dispose();
        Validation = validation?.to(device).DetachFromDisposeScope();
        training.Dispose();
        validation?.Dispose();
    }

    public void Dispose()
    {
        Training.Dispose();
        _given?.Dispose();
        Validation?.Dispose();
        if (_ownsValidationSet)
            ValidationSet.Dispose();
    }

    private static Tensor? Labelled(IRowSource set)
    {
        if (!set.HasMissingLabels)
            return null;
        using var scope = NewDisposeScope();
        var labelled = set.Labels.cpu().IsNotEqualTo(IRowSource.MissingLabel).nonzero().reshape(-1);
        return labelled.shape[0] == 0 ? null : labelled.DetachFromDisposeScope();
    }

    private static Tensor Positions(IRowSource set) => TensorArithmetic.Range(set.Count, CPU).DetachFromDisposeScope();
}
