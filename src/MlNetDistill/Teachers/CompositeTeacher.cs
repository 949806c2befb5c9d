using Microsoft.ML;
using MlNetDistill.Networks;
using MlNetDistill.Reading;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that consists of other teachers. Before it is validated, some of them may be null.</summary>
internal abstract class CompositeTeacher(IReadOnlyList<Teacher> teachers) : Teacher
{
    internal override bool IsReady => teachers.All(t => t.IsReady);

    internal override bool SupportsAugmentation => teachers.All(t => t?.SupportsAugmentation == true);

    internal override bool GivesLogits => teachers.All(t => t.GivesLogits);

    internal override bool NeedsLabels => teachers.Any(t => t?.NeedsLabels == true);

    internal override SeenRows Seen => teachers.Max(t => t.Seen);

    internal override bool ReadsRowsLeftOut => teachers.Any(t => t.ReadsRowsLeftOut);

    internal override IEnumerable<string> Settings => teachers.SelectMany(t => t.Settings.Prepend(t.Name));

    internal override IEnumerable<NetworkSpec> TrainedNetworks => teachers.SelectMany(t => t?.TrainedNetworks ?? []);

    internal override IEnumerable<DataViewSchema.Column> ColumnsRead(DataViewSchema schema) => teachers.SelectMany(t => t.ColumnsRead(schema));

    internal override IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema)
    {
        var inputs = teachers.Select(t => t.InputsIn(schema)).ToList();
        return inputs.Contains(null) ? null : inputs.SelectMany(of => of!);
    }

    internal override IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => teachers.SelectMany(t => t.VectorsRead(schema));

    /// <summary>Prepares several teachers. If one of them fails, those before it are disposed.</summary>
    protected static List<PreparedTeacher> PrepareAll<T>(IEnumerable<T> members, Func<T, int, PreparedTeacher> prepare)
    {
        var prepared = new List<PreparedTeacher>();
        try
        {
            foreach (var member in members)
                prepared.Add(prepare(member, prepared.Count));
            return prepared;
        }
        catch
        {
            prepared.ForEach(p => p.Dispose());
            throw;
        }
    }
}
