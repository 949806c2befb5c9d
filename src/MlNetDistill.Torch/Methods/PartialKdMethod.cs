using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>(1 - α) · CE + α · T² KL, from targets that have a part of the teacher's knowledge (Tang et al. 2020).</summary>
internal sealed record PartialKdMethod(
    TeacherTargets Targets,
    [property: WhenNull(KdDefaults.Text)] double? Temperature,
    [property: WhenNull(KdDefaults.Text)] double? Alpha) : DistillationMethod
{
    public override string Name => $"KD, {Targets.Name}";

    public override ModelOutputs TeacherNeeds => Targets.NeedsTeacher ? ModelOutputs.Logits : ModelOutputs.None;

    public override bool NeedsHardLabels => Targets.NeedsLabels;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) => this with { Temperature = Temperature ?? defaults.Temperature, Alpha = Alpha ?? defaults.Alpha };

    public override IEnumerable<string> Validate() => Faults.Above0("KD's temperature", Temperature).Concat(Faults.Share("KD's alpha", Alpha));

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var alpha = Alpha ?? context.Defaults.Alpha;
        yield return context.Stage(
            Name, ((1 - alpha) * context.LabelLoss) + (alpha * new KdLoss(Temperature ?? context.Defaults.Temperature).WithTargets(Targets)));
    }
}
