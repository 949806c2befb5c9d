using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>w_label · CE + τ² (β · inter + γ · intra) (Huang et al. 2022).</summary>
internal sealed record DistMethod(
    [property: WhenNull(KdDefaults.Text)] double? Temperature, double InterWeight, double IntraWeight, double LabelWeight) : DistillationMethod
{
    public override string Name => "DIST";

    public override ModelOutputs TeacherNeeds => ModelOutputs.Logits;

    public override bool CanUseWeights => false;

    internal override DistillationMethod WithDefaults(KdDefaults defaults) => this with { Temperature = Temperature ?? defaults.Temperature };

    public override IEnumerable<string> Validate() =>
    [
        .. Faults.Above0("DIST's temperature", Temperature),
        .. Faults.AtLeast0("DIST's interWeight", InterWeight),
        .. Faults.AtLeast0("DIST's intraWeight", IntraWeight),
        .. Faults.AtLeast0("DIST's labelWeight", LabelWeight),
        .. Faults.Unless(InterWeight != 0 || IntraWeight != 0, $"DIST's interWeight and intraWeight must not both be 0: nothing would be learnt from the teacher."),
    ];

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, (LabelWeight * context.LabelLoss) + new DistLoss(Temperature ?? context.Defaults.Temperature, InterWeight, IntraWeight));
    }
}
