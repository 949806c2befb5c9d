using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + NKD.</summary>
internal sealed record NkdMethod(double Gamma, double Temperature, double LabelWeight) : DistillationMethod
{
    public override string Name => "NKD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override bool NeedsHardLabels => true;

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast0("NKD's gamma", Gamma),
        .. Faults.Above0("NKD's temperature", Temperature),
        .. Faults.AtLeast0("NKD's labelWeight", LabelWeight),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, (LabelWeight * context.LabelLoss) + new NkdLoss(Gamma, Temperature));
    }
}
