using MlNetDistill.Core;
using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>Mean (f_s - f_t)² with the teacher's last layer, frozen, as the student's (Chen et al. 2022).</summary>
internal sealed record SimKdMethod(SimKdFeatures On) : DistillationMethod
{
    public override string Name => "SimKD";

    public override ModelOutputs TeacherNeeds => On == SimKdFeatures.LastMap ? ModelOutputs.StageFeatures | ModelOutputs.Embedding : ModelOutputs.Embedding;

    internal override bool NeedsLastLayer => true;

    public override IEnumerable<string> Validate() => Faults.Defined("SimKD's on", On);

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, new SimKdLoss(On)) with { Trains = NetworkPart.Backbone, CopiesLastLayer = true };
    }
}
