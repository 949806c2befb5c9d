using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Losses;

/// <summary>A loss that is given other targets in place of the teacher's probabilities.</summary>
internal sealed class TeacherTargetsLoss : DistillationLoss
{
    public TeacherTargetsLoss(DistillationLoss loss, TeacherTargets targets)
    {
        ArgumentNullException.ThrowIfNull(targets);
        if (loss.Terms is not [{ } only] || only.Loss != loss)
            throw new InvalidOperationException("A weighted sum, or a loss with a warm-up, cannot be given targets as a whole. Give them to its term that reads the teacher, and build the sum from that.");
        if (!loss.ReadsOnlyProbabilities)
            throw new InvalidOperationException($"The loss '{loss.Name}' cannot be given targets: they replace the teacher's probabilities, and it does not say that it reads nothing else of the teacher (ReadsOnlyProbabilities).");
        Loss = loss;
        Targets = targets;
    }

    public override string Name => $"{Loss.Name}Targets";

    public override ModelOutputs TeacherNeeds => Targets.NeedsTeacher ? Loss.TeacherNeeds : ModelOutputs.None;

    public override ModelOutputs StudentNeeds => Loss.StudentNeeds;

    public override bool CanUseWeights => Loss.CanUseWeights;

    public override bool NeedsHardLabels => Targets.NeedsLabels || Loss.NeedsHardLabels;

    public override bool NeedsLabels => Targets.NeedsLabels || Loss.NeedsLabels;

    internal override IReadOnlyList<string>? ClassNames => Targets.ClassNames;

    public DistillationLoss Loss { get; }

    public TeacherTargets Targets { get; }

    public override IReadOnlyList<nn.Module<Tensor, Tensor>> CreateProjections(OutputShapes student, OutputShapes teacher, Generator generator) =>
        Loss.CreateProjections(student, teacher, generator);

    public override IEnumerable<string> Warnings(int classes) => Loss.Warnings(classes);

    public override Tensor Evaluate(LossInputs inputs)
    {
        if (!LeavesOutRows(inputs))
            return Loss.Evaluate(Replace(inputs, null));
        var labelled = inputs.Labels.IsNotEqualTo(IRowSource.MissingLabel).nonzero().squeeze(1);
        // A mean over no rows is NaN; this 0 has a gradient, of zeros.
        return labelled.shape[0] == 0 ? inputs.Student.Logits.sum().MultiplyBy(0) : Loss.Evaluate(Replace(inputs, labelled));
    }

    internal override LogitGradient? EvaluateWithGradient(LossInputs inputs, double weight) =>
        LeavesOutRows(inputs) ? null : Loss.EvaluateWithGradient(Replace(inputs, null), weight);

    private bool LeavesOutRows(LossInputs inputs) => Targets.NeedsLabels && inputs.HasMissingLabels;

    // The same inputs with other probabilities of the teacher, of some rows only if they are given.
    private LossInputs Replace(LossInputs inputs, Tensor? rows)
    {
        Tensor Some(Tensor all) => rows is null ? all : all.index_select(0, rows);
        var labels = Some(inputs.UncheckedLabels);
        return new LossInputs(
            rows is null ? inputs.Student : inputs.Student.Map(Some),
            null,
            labels,
            inputs.Weights is { } weights ? Some(weights) : null,
            rows is null && inputs.HasMissingLabels)
        {
            SoftLabels = inputs.SoftLabels is { } shares ? Some(shares) : null,
            HasNoLabels = inputs.HasNoLabels,
            Projections = inputs.ProjectionsWithin(this, Loss),
            TeacherSoftening = (_, temperature) =>
            {
                var given = Some(Targets.NeedsTeacher ? inputs.TeacherLogProbabilities(temperature) : inputs.StudentLogProbabilities(temperature));
                return inputs.LabelsAreChecked ? Targets.LogProbabilitiesOfChecked(given, labels) : Targets.LogProbabilities(given, labels);
            },
        };
    }
}
