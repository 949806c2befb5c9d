using Microsoft.ML;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;

namespace MlNetDistill;

/// <content>What a fit asks of a teacher.</content>
public abstract partial class Teacher
{
    /// <summary>The anchors it is going to have, as far as is known before it is asked. One that is there already shows its shapes.</summary>
    internal virtual IEnumerable<PlannedAnchor> PlannedAnchors(TeacherRequest question)
    {
        if (!IsReady)
            return [new PlannedAnchor("teacher", 1, TrainedNetworks.FirstOrDefault())];
        using var answer = Ask(question);
        return [.. answer.Anchors.Select(anchor => new PlannedAnchor(anchor.Label, anchor.Epoch, null) { Shapes = anchor.Teacher.Shapes })];
    }

    /// <summary>The vectors of the data that it reads for each row; rows without them are left out where rows without features are.</summary>
    internal virtual IEnumerable<TeacherVector> VectorsRead(DataViewSchema schema) => [];

    internal abstract PreparedTeacher Ask(TeacherRequest question);
}
