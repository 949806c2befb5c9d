using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <content>How a teacher is prepared for a fit.</content>
public abstract partial class Teacher
{
    /// <summary>The anchors that it is going to have, with the shapes of their outputs but without outputs.</summary>
    internal virtual IEnumerable<Anchor> PlanAnchors(TeacherRequest request)
    {
        if (!IsReady)
            return [PlanAnchor("teacher", 1, request.Networks.GetShapes(TrainedNetworks.First()))];
        using var prepared = PrepareForFit(request);
        return [.. prepared.Anchors.Select(anchor => PlanAnchor(anchor.Label, anchor.Epoch, anchor.Teacher.Shapes))];
    }

    /// <summary>The vector columns that it reads; if rows without usable features are left out, so are rows without these.</summary>
    internal virtual IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => [];

    /// <summary>Loads, fits or trains the teacher for the rows of a fit.</summary>
    internal abstract PreparedTeacher PrepareForFit(TeacherRequest request);

    /// <summary>An anchor of a teacher that does not exist yet.</summary>
    private protected Anchor PlanAnchor(string label, int epoch, OutputShapes shapes) => new(label, epoch, new PlannedTeacher(shapes, SupportsAugmentation, CanBeTrained));
}
