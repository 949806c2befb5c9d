using MlNetDistill.Methods;

namespace MlNetDistill.Extending.Tests.Kinds;

/// <summary>Leaves out anchors from which the student diverges by no more than a limit.</summary>
internal sealed record SkipNear(double Limit) : AnchorSelection
{
    public override bool NeedsHeldOutRows => true;

    public override IEnumerable<int> Choose(MethodContext context)
    {
        var last = context.Anchors.Count - 1;
        for (var index = 0; index < last; index++)
        {
            var anchor = context.Anchors[index];
            if (context.Decide($"whether to train on {anchor.Label}", () => context.HeldOutDivergence!(anchor.Teacher) > Limit ? 1 : 0) == 1)
                yield return index;
        }

        yield return last;
    }
}

/// <summary>The anchors with these indices, which may be wrong.</summary>
internal sealed record GivenAnchors(params IReadOnlyList<int>? Indices) : AnchorSelection
{
    public override IEnumerable<int> Choose(MethodContext context) => Indices!;
}
