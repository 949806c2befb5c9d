using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + w · squared difference of the logits (Ba and Caruana 2014).</summary>
internal sealed record LogitMatchingMethod(double Weight, double LabelWeight, LogitReduction Reduction, bool Centered) : DistillationMethod
{
    public override string Name => "logit matching";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast0("Logit matching's weight", Weight),
        .. Faults.AtLeast0("Logit matching's labelWeight", LabelWeight),
        .. Faults.Defined("Logit matching's reduction", Reduction),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, (LabelWeight * context.LabelLoss) + (Weight * new LogitMatchingLoss(Reduction, Centered)));
    }
}
