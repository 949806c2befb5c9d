using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>(1 - α) · CE + α · T² KL (Hinton et al. 2015).</summary>
internal sealed record KdMethod(double Temperature, double Alpha) : DistillationMethod
{
    public override string Name => "KD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override IEnumerable<string> Validate() => Faults.Above0("KD's temperature", Temperature).Concat(Faults.Share("KD's alpha", Alpha));

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, ((1 - Alpha) * context.LabelLoss) + (Alpha * new KdLoss(Temperature)));
    }
}
