using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <content>What a fit asks of a teacher.</content>
public abstract partial class Teacher
{
    /// <summary>The anchors that it is going to have, with the shapes of their outputs but without outputs.</summary>
    internal virtual IEnumerable<Anchor> PlanAnchors(TeacherRequest request)
    {
        if (!IsReady)
            return [PlanAnchor("teacher", 1, request.Networks.GetShapes(TrainedNetworks.First()))];
        using var answer = PrepareForFit(request);
        return [.. answer.Anchors.Select(anchor => PlanAnchor(anchor.Label, anchor.Epoch, anchor.Teacher.Shapes))];
    }

    /// <summary>The vectors of the data that it reads for each row; rows without them are left out where rows without features are.</summary>
    internal virtual IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => [];

    internal abstract PreparedTeacher PrepareForFit(TeacherRequest request);

    /// <summary>An anchor of a teacher that does not exist yet.</summary>
    private protected Anchor PlanAnchor(string label, int epoch, OutputShapes shapes) => new(label, epoch, new PlannedTeacher(shapes, SupportsAugmentation));
}
