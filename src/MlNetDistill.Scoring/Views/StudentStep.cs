using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Students;

namespace MlNetDistill.Views;

/// <summary>A student as a step of a pipeline, in place of its own transformers.</summary>
internal sealed class StudentStep(StudentPart student) : ITransformer
{
    public bool IsRowToRowMapper => true;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => new StudentColumns(inputSchema, student).Output;

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new StudentRowMapper(inputSchema, student);

    public IDataView Transform(IDataView input) => new StudentView(input, student);

    /// <summary>Not called: a scorer saves its model, which has the student's own transformers.</summary>
    void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException("A step of a BatchScorer cannot be saved; save the scorer or its model.");
}
