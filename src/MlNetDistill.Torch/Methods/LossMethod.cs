using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

/// <summary>A method of one stage with one loss.</summary>
internal record LossMethod(string Title, DistillationLoss Loss) : DistillationMethod
{
    public override string Name => Title;

    public override ModelOutputs TeacherNeeds => Loss.TeacherNeeds;

    public override bool CanUseWeights => Loss.CanUseWeights;

    public override bool NeedsHardLabels => Loss.NeedsHardLabels;

    internal override bool IsLabelsOnly => Loss.Terms.All(term => term.Loss is CrossEntropyLoss);

    internal override bool MayDrawFromTorch => HasForeignTerms(Loss);

    public override IEnumerable<TrainingPhase> Phases(MethodContext context)
    {
        yield return context.Stage(Name, Loss);
    }
}
