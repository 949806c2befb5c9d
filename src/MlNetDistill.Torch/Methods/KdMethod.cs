using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>(1 - α) · CE + α · T² KL (Hinton et al. 2015).</summary>
internal sealed record KdMethod(
    [property: WhenNull(KdDefaults.Text)] double? Temperature,
    [property: WhenNull(KdDefaults.Text)] double? Alpha) : DistillationMethod
{
    public override string Name => "KD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) => this with { Temperature = Temperature ?? defaults.Temperature, Alpha = Alpha ?? defaults.Alpha };

    public override IEnumerable<string> Validate() => Faults.Above0("KD's temperature", Temperature).Concat(Faults.Share("KD's alpha", Alpha));

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        var alpha = Alpha ?? context.Defaults.Alpha;
        yield return context.Stage(Name, ((1 - alpha) * context.LabelLoss) + (alpha * new KdLoss(Temperature ?? context.Defaults.Temperature)));
    }
}
