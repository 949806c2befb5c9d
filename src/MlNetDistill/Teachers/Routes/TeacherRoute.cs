using Microsoft.ML;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>A route of teachers that the user gives, in order.</summary>
internal sealed class TeacherRoute(IReadOnlyList<(string Label, Teacher Teacher)> anchors) : CompositeTeacher([.. anchors.Select(a => a.Teacher)])
{
    public override bool IsRoute => true;

    internal override string Name => $"a route of {anchors.Count} teachers";

    internal override ModelOutputs CanProvide => anchors.Aggregate(ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures, (all, a) => all & (a.Teacher?.CanProvide ?? ModelOutputs.None));

    internal override bool ShowsLastLayer => anchors.All(a => a.Teacher?.ShowsLastLayer == true);

    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest request) =>
        anchors.Select((anchor, i) => PlanAnchor(anchor.Label, i + 1, anchor.Teacher.PlanAnchors(request).Last().Teacher.Shapes));

    internal override IEnumerable<string> Validate() => RouteFaults.Find(anchors, teacher => teacher.IsRoute, teacher => teacher.Validate());

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) =>
        anchors.Select(a => a.Teacher.ClassesIn(schema)).LastOrDefault(classes => classes is not null);

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var prepared = PrepareAll(anchors, (anchor, i) =>
        {
            request.Channel.Info($"Asking the anchor '{anchor.Label}'.");
            return anchor.Teacher.PrepareForFit(request with { CheckpointName = $"{request.CheckpointName} of anchor {i + 1}" });
        });
        var last = prepared[^1];
        return new PreparedTeacher(
            [.. prepared.Select((p, i) => new Anchor(anchors[i].Label, i + 1, p.Teacher))], last.Model, last.Network, last.NetworkSpec)
        {
            Owned = prepared,
        };
    }
}
