using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>
/// What a loss may look at in one step. Softened log-probabilities are computed once for each temperature, however many terms use them.
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
    /// <param name="teacher">The teacher's outputs, constants; null where the stage has no teacher.</param>
    /// <param name="labels">B class indices; <see cref="IRowSource.MissingLabel"/> where a row has none.</param>
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

    /// <summary>B class indices; where rows are mixed those of each row's first part.</summary>
    /// <exception cref="InvalidOperationException">No row trained on has a label.</exception>
    public Tensor Labels => !HasNoLabels ? UncheckedLabels : throw new InvalidOperationException(
        "A term of the loss reads labels, and no row trained on has one. Override NeedsLabels of the loss to be true, so that it is left out then, or train on labelled rows.");

    /// <summary>
    /// Label shares, B×K, after mixup or CutMix, else null. A row sums to 1, to less where one of its parts has no label, to 0 where none has.
    /// </summary>
    public Tensor? SoftLabels { get; init; }

    /// <summary>B example weights, or null where all rows weigh the same.</summary>
    public Tensor? Weights { get; }

    /// <summary>Whether some labels may be missing.</summary>
    public bool HasMissingLabels { get; }

    /// <summary>The labels, also where no row has one.</summary>
    internal Tensor UncheckedLabels { get; }

    /// <summary>Whether no row trained on has a label; else this batch may be the only one without.</summary>
    internal bool HasNoLabels { get; init; }

    /// <summary>The trained projections of each term.</summary>
    internal IReadOnlyDictionary<DistillationLoss, IReadOnlyList<nn.Module<Tensor, Tensor>>>? Projections { get; init; }

    /// <summary>log softmax(t / temperature) of the teacher where that is known already; null to compute it from its logits.</summary>
    internal Func<LossInputs, double, Tensor>? TeacherSoftening { get; init; }

    /// <summary>Asks the teacher, for terms that read its outputs themselves; null where they were given.</summary>
    internal Func<NetworkOutput>? QueryTeacher { get; init; }

    /// <summary>What of these someone disposed of, in words; null for nothing.</summary>
    internal string? DisposedInputs =>
        AreDisposed(Student.All) ? "outputs of the student" :
        AreDisposed(_teacherOutput?.All ?? []) ? "outputs of the teacher" :
        AreDisposed(new[] { UncheckedLabels, SoftLabels, Weights, _labelMask }.OfType<Tensor>()) ? "labels or weights" :
        AreDisposed(_student.Concat(_teacher).Select(known => known.Value)) ? "log-probabilities" : null;

    /// <summary>log softmax(s / temperature) of the student, B×K.</summary>
    public Tensor StudentLogProbabilities(double temperature) => GetOrCompute(_student, temperature, t => Student.Logits.LogSoftmax(t));

    /// <summary>log softmax(t / temperature) of the teacher, B×K.</summary>
    public Tensor TeacherLogProbabilities(double temperature) =>
        GetOrCompute(_teacher, temperature, t => TeacherSoftening?.Invoke(this, t) ?? Teacher.Logits.detach().LogSoftmax(t));

    /// <summary>The projections that <see cref="DistillationLoss.CreateProjections"/> of <paramref name="loss"/> made for this stage.</summary>
    /// <exception cref="InvalidOperationException">The inputs hold none for it.</exception>
    public IReadOnlyList<nn.Module<Tensor, Tensor>> ProjectionsFor(DistillationLoss loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        return Projections is not null && Projections.TryGetValue(loss, out var found)
            ? found
            : throw new InvalidOperationException($"The stage made no projections for the loss '{loss.Name}'.");
    }

    /// <summary>1 where a row has a label, else 0; B floats of the student's type.</summary>
    public Tensor LabelMask() => _labelMask ??= MoveToStepScope(Labels.IsNotEqualTo(IRowSource.MissingLabel).to(Student.Any.dtype));

    /// <summary>The mean of a per-row loss over the batch, weighted where rows have weights.</summary>
    public Tensor Mean(Tensor perRow)
    {
        ArgumentNullException.ThrowIfNull(perRow);
        return Weights is null ? perRow.mean() : WeightedMean(perRow, Weights);
    }

    /// <summary>The mean of a per-row loss over the rows that have a label, weighted where rows have weights; 0 where none has one.</summary>
    public Tensor MeanOverLabelled(Tensor perRow)
    {
        ArgumentNullException.ThrowIfNull(perRow);
        return !HasMissingLabels ? Mean(perRow) : WeightedMean(perRow, Weights is null ? LabelMask() : LabelMask().mul(Weights));
    }

    // A batch whose weights are all zero teaches nothing: its loss is 0, not 0/0.
    private static Tensor WeightedMean(Tensor perRow, Tensor weights) => perRow.mul(weights).sum().div(weights.sum().ClampMin(1e-12));

    private static bool AreDisposed(IEnumerable<Tensor> tensors) => tensors.Any(tensor => tensor.IsInvalid);

    private NetworkOutput? QueryTeacherOnce()
    {
        var answers = QueryTeacher?.Invoke();
        foreach (var tensor in answers?.All ?? [])
            MoveToStepScope(tensor);
        return answers;
    }

    // What one term asked for in a scope of its own is there for the next term too. Tensors of other scopes are someone else's.
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

        var fresh = MoveToStepScope(compute(temperature));
        known.Add((temperature, fresh));
        return fresh;
    }
}
