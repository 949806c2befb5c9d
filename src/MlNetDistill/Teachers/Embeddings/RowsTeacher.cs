using Microsoft.ML;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>A teacher of embeddings for what reads the rows of a fit, which needs to know the columns that a teacher reads. The fit itself queries the teacher.</summary>
/// <param name="teacher">The teacher.</param>
internal sealed class RowsTeacher(EmbeddingTeacher teacher) : Teacher
{
    internal override string Name => teacher.Name;

    public override bool IsRoute => teacher.IsRoute;

    internal override bool SupportsAugmentation => teacher.SupportsAugmentation;

    internal override IEnumerable<string> Validate() => teacher.Validate();

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => teacher.VectorsRead(schema);

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => teacher.InputsIn(schema);

    internal override PreparedTeacher PrepareForFit(TeacherRequest request) => throw new NotSupportedException("A fit queries its teacher of embeddings itself.");
}
