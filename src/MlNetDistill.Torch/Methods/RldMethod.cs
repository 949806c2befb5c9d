using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + RLD, with a warm-up of its weight.</summary>
internal sealed record RldMethod(
    double Alpha, double Beta, double Temperature, double LabelWeight, [property: WhenNull("a twelfth of the epochs")] int? WarmupEpochs) : DistillationMethod
{
    public override string Name => "RLD";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override bool NeedsHardLabels => true;

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.AtLeast0("RLD's alpha", Alpha),
        .. Faults.AtLeast0("RLD's beta", Beta),
        .. Faults.Above0("RLD's temperature", Temperature),
        .. Faults.AtLeast0("RLD's labelWeight", LabelWeight),
        .. Faults.AtLeast(0, "RLD's warmupEpochs", WarmupEpochs),
        .. Faults.Unless(Alpha != 0 || Beta != 0, $"RLD's alpha and beta must not both be 0: nothing would be learnt from the teacher."),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        DistillationLoss loss = new RldLoss(Alpha, Beta, Temperature);
        var warmup = WarmupEpochs ?? (context.Epochs + 11) / 12;
        yield return context.Stage(Name, (LabelWeight * context.LabelLoss) + (warmup == 0 ? loss : loss.WithWarmup(warmup)));
    }
}
