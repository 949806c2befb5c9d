using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// The inputs of a loss in one step. Softened log-probabilities are computed once per temperature, however many terms use them.
/// </summary>
public sealed class LossInputs
{
    private readonly List<(double Temperature, Tensor Value)> _student = [];
    private readonly List<(double Temperature, Tensor Value)> _teacher = [];
    private readonly DisposeScope? _step = CurrentDisposeScope;
    private NetworkOutput? _teacherOutput;
    private Tensor? _labelMask;

    /// <summary>The inputs of one step.</summary>
    /// <param name="student">The student's outputs, with gradient.</param>
    /// <param name="teacher">The teacher's outputs, constants; null if the stage has no teacher.</param>
    /// <param name="labels">B class indices; <see cref="IRowSource.MissingLabel"/> for a row without a label.</param>
    /// <param name="weights">B example weights, or null.</param>
    /// <param name="hasMissingLabels">Whether some of <paramref name="labels"/> may be missing.</param>
    public LossInputs(NetworkOutput student, NetworkOutput? teacher, Tensor labels, Tensor? weights = null, bool hasMissingLabels = false)
    {
        ArgumentNullException.ThrowIfNull(student);
        ArgumentNullException.ThrowIfNull(labels);
        Student = student;
        _teacherOutput = teacher;
        UncheckedLabels = labels;
        Weights = weights;
        HasMissingLabels = hasMissingLabels;
    }

    /// <summary>The student's outputs, with gradient.</summary>
    public NetworkOutput Student { get; }

    /// <summary>The teacher's outputs, constants.</summary>
    /// <exception cref="InvalidOperationException">The stage has no teacher.</exception>
    public NetworkOutput Teacher => _teacherOutput ??= QueryTeacherOnce() ?? throw new InvalidOperationException("This loss needs a teacher, and the stage has none.");

    /// <summary>B class indices; for mixed rows the label of the first part.</summary>
    /// <exception cref="InvalidOperationException">No training row has a label.</exception>
    public Tensor Labels => !HasNoLabels ? UncheckedLabels : throw new InvalidOperationException(
        "A term of the loss reads labels, but no training row has a label. Override NeedsLabels of the loss to return true, so that the term is left out then, or train on labelled rows.");

    /// <summary>
    /// Label shares, B×K, after mixup or CutMix, else null. A row sums to 1, to less if one of its parts has no label, to 0 if no part has one.
    /// </summary>
    public Tensor? SoftLabels { get; init; }

    /// <summary>B example weights; null if all rows have the same weight.</summary>
    public Tensor? Weights { get; }

    /// <summary>Whether some labels may be missing.</summary>
    public bool HasMissingLabels { get; }

    /// <summary>The labels, without the check that some row has one.</summary>
    internal Tensor UncheckedLabels { get; }

    /// <summary>Whether no training row at all has a label, not just no row of this batch.</summary>
    internal bool HasNoLabels { get; init; }

    /// <summary>Whether all labels are known to be classes, or missing where <see cref="HasMissingLabels"/>: reading them in every step would make each wait for a device.</summary>
    internal bool LabelsAreChecked { get; init; }

    /// <summary>Checks of values that are read later; null to read them at once.</summary>
    internal DeferredChecks? Checks { get; init; }

    /// <summary>The trained projections of each term.</summary>
    internal IReadOnlyDictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>>? Projections { get; init; }

    /// <summary>Looks up log softmax(t / temperature) of the teacher if it was computed before; null to compute it from the logits.</summary>
    internal Func<LossInputs, double, Tensor>? TeacherSoftening { get; init; }

    /// <summary>Queries the teacher when a term reads its outputs; null if they were given to the constructor.</summary>
    internal Func<NetworkOutput>? QueryTeacher { get; init; }

    /// <summary>Names the inputs that a term has disposed, for an error message; null if none.</summary>
    internal string? DisposedInputs => Shared.FirstOrDefault(input => input.Given.IsInvalid).What;

    /// <summary>What all terms read, as far as it is known yet, each with its name.</summary>
    private IEnumerable<(string What, Tensor Given)> Shared =>
    [
        .. Student.All.Select(output => ("outputs of the student", output)),
        .. (_teacherOutput?.All ?? []).Select(output => ("outputs of the teacher", output)),
        .. new[] { UncheckedLabels, SoftLabels, Weights, _labelMask }.OfType<Tensor>().Select(values => ("labels or weights", values)),
        .. _student.Concat(_teacher).Select(known => ("log-probabilities", known.Value)),
    ];

    /// <summary>Copies of what all terms read, as far as it is known yet, in the current dispose scope.</summary>
    /// <param name="withTeacher">Whether to query the teacher first, if no term has done so.</param>
    internal IReadOnlyList<(string What, Tensor Given, Tensor Copy)> Copies(bool withTeacher)
    {
        _ = withTeacher ? Teacher : null;
        using var noGrad = no_grad();
        return [.. Shared.Select(input => (input.What, input.Given, input.Given.clone()))];
    }

    /// <summary>log softmax(s / temperature) of the student, B×K.</summary>
    public Tensor StudentLogProbabilities(double temperature) => GetOrCompute(_student, temperature, t => Student.Logits.LogSoftmax(t));

    /// <summary>log softmax(t / temperature) of the teacher, B×K.</summary>
    public Tensor TeacherLogProbabilities(double temperature) =>
        GetOrCompute(_teacher, temperature, t => TeacherSoftening?.Invoke(this, t) ?? Teacher.Logits.detach().LogSoftmax(t));

    /// <summary>The projections that <see cref="DistillationLoss.CreateProjections"/> of <paramref name="loss"/> created for this stage.</summary>
    /// <exception cref="InvalidOperationException">There are none.</exception>
    public IReadOnlyList<nn.Module<Tensor, Tensor>> ProjectionsFor(DistillationLoss loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return Projections is not null && Projections.TryGetValue(loss, out var found)
            ? found
            : throw new InvalidOperationException($"The stage has no projections for the loss '{loss.Name}'. Create them in CreateProjections of that loss, and pass the loss itself to ProjectionsFor.");
    }

    /// <summary>The projections of <paramref name="wrapper"/> as those of the loss that it evaluates on other inputs; null if there are none.</summary>
    internal IReadOnlyDictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>>? ProjectionsWithin(DistillationLoss wrapper, DistillationLoss wrapped) =>
        Projections?.GetValueOrDefault(wrapper) is { Count: > 0 } own ? new Dictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>> { [wrapped] = own } : null;

    /// <summary>1 for rows with a label, else 0; B floats of the student's type.</summary>
    public Tensor LabelMask() => _labelMask ??= MoveToStepScope(Labels.IsNotEqualTo(IRowSource.MissingLabel).to(Student.Any.dtype));

    /// <summary>The mean of a per-row loss over the batch, weighted by the example weights if there are any.</summary>
    public Tensor Mean(Tensor perRow)
    {
        ArgumentNullException.ThrowIfNull(perRow);
        return Weights is null ? perRow.mean() : WeightedMean(perRow, Weights);
    }

    /// <summary>The mean of a per-row loss over the rows that have a label, weighted by the example weights if there are any; 0 if no row has a label.</summary>
    public Tensor MeanOverLabelled(Tensor perRow)
    {
        ArgumentNullException.ThrowIfNull(perRow);
        return !HasMissingLabels ? Mean(perRow) : WeightedMean(perRow, Weights is null ? LabelMask() : LabelMask().mul(Weights));
    }

    // If all weights of a batch are zero, its loss is 0, not 0/0.
    private static Tensor WeightedMean(Tensor perRow, Tensor weights) => perRow.mul(weights).sum().div(weights.sum().ClampMin(1e-12));

    private NetworkOutput? QueryTeacherOnce()
    {
        var outputs = QueryTeacher?.Invoke();
        foreach (var tensor in outputs?.All ?? [])
            MoveToStepScope(tensor);
        return outputs;
    }

    // A tensor that one term computes in its own dispose scope must live until the step ends, because other terms read it too. Tensors of other scopes stay
    // where they are.
    private Tensor MoveToStepScope(Tensor tensor)
    {
        var current = CurrentDisposeScope;
        if (_step is not null && current != _step && current?.Contains(tensor) == true)
            current.MoveToOther(_step, tensor);
        return tensor;
    }

    private Tensor GetOrCompute(List<(double Temperature, Tensor Value)> known, double temperature, Func<double, Tensor> compute)
    {
        foreach (var (t, value) in known)
        {
            if (t == temperature)
                return value;
        }

        var computed = MoveToStepScope(compute(temperature));
        known.Add((temperature, computed));
        return computed;
    }
}
