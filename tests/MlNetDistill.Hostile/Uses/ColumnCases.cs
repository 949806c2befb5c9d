using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Columns that are missing, of another type, or overwritten on the way.</summary>
internal static class ColumnCases
{
    public static IEnumerable<Case> All
    {
        get
        {
            yield return Fit("a label column that there is not", Sample.Short() with { LabelColumnName = "Klass" }, "Klass", "Class");
            yield return Fit("a feature column that there is not", Sample.Short() with { FeatureColumnName = "Featurs" }, "Featurs", "Features");
            yield return Fit("a weight column that there is not", Sample.Short() with { ExampleWeightColumnName = "Wait" }, "Wait");
            yield return Fit("a validation column that there is not", Sample.Short() with { ValidationColumnName = "Hold" }, "Hold");
            yield return Fit("a label that is a text", Sample.Short() with { LabelColumnName = "Label" }, "Label", "MapValueToKey");
            yield return Fit("a label that is a number", Sample.Short() with { LabelColumnName = "Weight" }, "Weight", "key");
            yield return Fit("a label that is a vector", Sample.Short() with { LabelColumnName = "Features", FeatureColumnName = "Held" }, "Held");
            yield return Fit("features that are a text", Sample.Short() with { FeatureColumnName = "Label" }, "Label", "vector");
            yield return Fit("features that are a number", Sample.Short() with { FeatureColumnName = "Weight" }, "Weight", "vector");
            yield return Fit("features that are the key", Sample.Short() with { FeatureColumnName = "Class", LabelColumnName = "Klass" }, "Class");
            yield return Fit("weights that are a text", Sample.Short() with { ExampleWeightColumnName = "Label" }, "Label", "Single");
            yield return Fit("weights that are Boolean", Sample.Short() with { ExampleWeightColumnName = "Held" }, "Held", "Single");
            yield return Fit("a validation column of numbers", Sample.Short() with { ValidationColumnName = "Weight" }, "Weight", "Boolean");
            yield return Fit("a validation column that holds no row out", Sample.Short() with { ValidationColumnName = "Held" }, "Held");
            yield return Fit("a teacher's column that there is not", Sample.Short(Teacher.FromColumn("Answr", classNames: Rows.Classes)), "Answr");
            yield return Fit("a teacher's column of texts", Sample.Short(Teacher.FromColumn("Label", classNames: Rows.Classes)), "Label");
            yield return Fit("a teacher's column that is the features", Sample.Short(Teacher.FromColumn("Features", classNames: Rows.Classes)), "Features", "4", "3");
            yield return Fit("a teacher's embedding that there is not", Sample.Short(Teacher.FromTransformer(RegressionModel(), embeddingColumnName: "Hid")) with { Method = DistillationMethod.Cckd() }, "Hid");
            yield return Fit("a teacher's score column that there is not", Sample.Short(Teacher.FromTransformer(RegressionModel(), scoreColumnName: "Skore")), "Skore");
            yield return Case.Refused("all rows held out", () =>
            {
                var rows = Rows.Points(30);
                foreach (var row in rows)
                    row.Held = true;
                Sample.Fit(Sample.Short() with { ValidationColumnName = "Held" }, Log.Context().Keyed(rows));
            }, "Held");
            yield return Case.Refused("validation data of another length", () => Sample.Fit(Sample.Short() with { ValidationData = Log.Context().Keyed(Wide(30)) }), "Features", "4", "5");
            yield return Case.Refused("validation data with other classes", () => Sample.Fit(Sample.Short() with { ValidationData = Log.Context().Keyed(Rows.Points(30).Where(r => r.Label != "ash")) }), "Class", "other classes");
            yield return Case.Refused("validation data without rows", () => Sample.Fit(Sample.Short() with { ValidationData = Filtered(Sample.Points()) }), "row");
            foreach (var (how, estimator) in Overwriting())
            {
                yield return Case.Refused($"the teacher's input overwritten, {how}", () =>
                {
                    var context = Log.Context();
                    var raw = context.Data.LoadFromEnumerable(Rows.Points(120));
                    var teacher = Sample.Regression(context).Fit(raw);
                    context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(estimator(context))
                        .Append(context.MulticlassClassification.Trainers.Distill(Sample.Short(Teacher.FromTransformer(teacher)))).Fit(raw);
                }, "Features");
            }

            yield return Case.Refused("scoring rows without the features", () => Sample.Fit(Sample.Short()).Transform(Log.Context().Data.LoadFromEnumerable(new[] { new Bare() })), "Features");
            yield return Case.Refused("scoring rows of another length", () => Sample.Fit(Sample.Short()).Transform(Log.Context().Data.LoadFromEnumerable(Wide(3))), "Features", "4", "5");
            yield return Case.Refused("no rows to score", () => Sample.Fit(Sample.Short()).Transform(null!), "input");
            yield return Case.Refused("a fit of nothing", () => Sample.Trainer(Sample.Short()).Fit(null!), "input");
            yield return Case.Refused("a preflight of nothing", () => Sample.Trainer(Sample.Short()).Preflight(null!), "input");
            yield return Case.Refused("a schema of nothing", () => Sample.Trainer(Sample.Short()).GetOutputSchema(null!), "inputSchema");
            yield return Case.Refused("no options", () => Log.Context().MulticlassClassification.Trainers.Distill((DistillationOptions)null!), "options");
            yield return Case.Refused("the teacher's scores under no name", () => Sample.Trainer(Sample.Short(Sample.Teaching())).ScoreTeacher(Sample.Points(), " "), "outputColumnName");
            yield return Case.Refused("the scores of no teacher", () => Sample.Trainer(Sample.Short()).ScoreTeacher(Sample.Points()), "Teacher");
            yield return Case.Refused("the scores of a teacher that is made in the fit", () => Sample.Trainer(Sample.Short(Teacher.Train(NetworkSpec.Mlp(4)))).ScoreTeacher(Sample.Points()), "Fit");
            yield return Case.WorksOrRefused("the teacher's scores under the features' name", () =>
            {
                var scored = Sample.Trainer(Sample.Short(Sample.Teaching())).ScoreTeacher(Sample.Points(30), "Features");
                Check.Equal(((VectorDataViewType)scored.Schema["Features"].Type).Size, 3, "length of the new column");
            }, "Features");
        }
    }

    private static Case Fit(string name, DistillationOptions options, params string[] words) => Case.Refused(name, () => Sample.Fit(options, Sample.Points(30)), words);

    private static ITransformer RegressionModel() => Sample.Regression().Fit(Log.Context().Data.LoadFromEnumerable(Rows.Points(30)));

    private static IEnumerable<(string How, Func<MLContext, IEstimator<ITransformer>> Estimator)> Overwriting()
    {
        IEstimator<ITransformer> Scale(MLContext context) => context.Transforms.NormalizeMinMax("Features", fixZero: false);
        yield return ("plainly", Scale);
        yield return ("and columns selected", context => Scale(context).Append(context.Transforms.SelectColumns("Features", "Class", "Label")));
        yield return ("and a column dropped", context => Scale(context).Append(context.Transforms.DropColumns("Weight")));
        yield return ("by a copy", context => context.Transforms.NormalizeMinMax("Scaled", "Features", fixZero: false).Append(context.Transforms.CopyColumns("Features", "Scaled")));
        yield return ("by a copy, and columns selected", context => context.Transforms.NormalizeMinMax("Scaled", "Features", fixZero: false)
            .Append(context.Transforms.CopyColumns("Features", "Scaled")).Append(context.Transforms.SelectColumns("Features", "Class", "Label")));
        yield return ("through another name and back", context => context.Transforms.NormalizeMinMax("A", "Features", fixZero: false).Append(context.Transforms.DropColumns("Features"))
            .Append(context.Transforms.CopyColumns("Features", "A")).Append(context.Transforms.DropColumns("A")));
    }

    private static IDataView Filtered(IDataView view) => Log.Context().Data.FilterRowsByColumn(view, "Weight", lowerBound: 5);

    private static IEnumerable<WideRow> Wide(int count) => Rows.Points(count).Select(row => new WideRow { Label = row.Label, Features = [.. row.Features, 1] });

    private sealed class Bare
    {
        public float Weight { get; set; }
    }

    private sealed class WideRow
    {
        public string Label { get; set; } = "";

        [VectorType(5)]
        public float[] Features { get; set; } = [];
    }
}
