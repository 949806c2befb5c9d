using MlNetDistill.Losses;
using MlNetDistill.Networks;

namespace MlNetDistill.Methods;

internal sealed record KdMethod(double Temperature, double Alpha) : DistillationMethod
{
    public override string Name => "KD";

    public override OutputKinds TeacherNeeds => OutputKinds.Logits;

    public override IEnumerable<string> Faults()
    {
        if (!(Temperature > 0 && double.IsFinite(Temperature)))
            yield return $"KD's temperature must be above 0; was {Temperature}.";
        if (!(Alpha >= 0 && Alpha <= 1))
            yield return $"KD's alpha must be in [0, 1]; was {Alpha}.";
    }

    public override IEnumerable<Stage> Stages(MethodContext context)
    {
        yield return context.Stage(Name, ((1 - Alpha) * new CrossEntropyLoss()) + (Alpha * new KdLoss(Temperature)));
    }
}

internal sealed record LabelsOnlyMethod : DistillationMethod
{
    public override string Name => "labels only";

    public override OutputKinds TeacherNeeds => OutputKinds.None;

    public override IEnumerable<Stage> Stages(MethodContext context)
    {
        yield return context.Stage(Name, new CrossEntropyLoss());
    }
}
