using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Students;

namespace MlNetDistill.Views;

/// <summary>A student for one row at a time, as a <c>PredictionEngine</c> uses it.</summary>
internal sealed class StudentRowMapper(DataViewSchema input, StudentPart student) : IRowToRowMapper
{
    private readonly StudentColumns _columns = new(input, student);

    public DataViewSchema InputSchema => _columns.Input;

    public DataViewSchema OutputSchema => _columns.Output;

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns) => _columns.InputsOf(_columns.Select(dependingColumns));

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns) => new StudentRow(input, _columns, _columns.Select(activeColumns));
}
