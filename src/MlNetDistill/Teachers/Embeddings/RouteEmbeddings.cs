using Microsoft.ML;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>Teachers of embeddings in order.</summary>
/// <param name="anchors">Name and teacher of each. Before it is validated, some may be null.</param>
internal sealed class RouteEmbeddings(IReadOnlyList<(string Label, EmbeddingTeacher Teacher)> anchors) : EmbeddingTeacher
{
    internal override string Name => $"a route of {anchors.Count} teachers";

    internal override bool IsRoute => true;

    internal override bool SupportsAugmentation => anchors.All(anchor => anchor.Teacher?.SupportsAugmentation == true);

    internal override bool GivesStageFeatures => anchors.All(anchor => anchor.Teacher?.GivesStageFeatures == true);

    internal override IEnumerable<string> Validate() => RouteFaults.Find(anchors, teacher => teacher.IsRoute, teacher => teacher.Validate());

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => anchors.SelectMany(anchor => anchor.Teacher.VectorsRead(schema));

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema)
    {
        var inputs = anchors.Select(anchor => anchor.Teacher.InputsIn(schema)).ToList();
        return inputs.Contains(null) ? null : inputs.SelectMany(of => of!);
    }

    internal override IReadOnlyList<OpenEmbeddings> Open(EmbeddingRequest request) =>
        OpenEmbeddings.OpenAll(anchors, (anchor, i) => anchor.Teacher.Open(request)[0] with { Label = anchor.Label, Epoch = i + 1 });
}
