using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + w · TTM or WTTM.</summary>
internal sealed record TtmMethod(double Exponent, double Weight, double LabelWeight, bool WeighsRows) : DistillationMethod
{
    public override string Name => WeighsRows ? "WTTM" : "TTM";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Above0($"{Name}'s exponent", Exponent),
        .. Faults.AtLeast0($"{Name}'s weight", Weight),
        .. Faults.AtLeast0($"{Name}'s labelWeight", LabelWeight),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(
            Name, (LabelWeight * context.LabelLoss) + (Weight * (WeighsRows ? new WttmLoss(Exponent) : (DistillationLoss)new TtmLoss(Exponent))));
    }
}
