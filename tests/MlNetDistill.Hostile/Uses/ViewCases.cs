using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Diagnostics;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Reporting;
using MlNetDistill.Training;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Hostile.Uses;

/// <summary>Views that give other rows in each pass, none, or fail; and cultures.</summary>
internal static class ViewCases
{
    public static IEnumerable<Case> All => [.. Passes(), .. Sets(), .. Cultures(), .. Labels()];

    private static IEnumerable<Case> Passes()
    {
        foreach (var (who, teacher) in new (string, Func<MLContext, Teacher>)[]
        {
            ("a model", context => Teacher.FromTransformer(Sample.Regression(context).Fit(context.Data.LoadFromEnumerable(Rows.Points(120))))),
            ("a module", _ => Sample.Teaching()),
            ("a pipeline", context => Teacher.FromEstimator(Sample.Regression(context))),
        })
        {
            yield return Case.WorksOrRefused($"rows that are drawn anew in each pass, taught by {who}", () => Fit(pass => Shuffled(Rows.Points(120, seed: pass), pass), teacher), "pass");
            yield return Case.WorksOrRefused($"rows that are shuffled in each pass, taught by {who}", () => Fit(pass => Shuffled(Rows.Points(120), pass), teacher), "pass");
            yield return Case.WorksOrRefused($"rows that are fewer in each pass, taught by {who}", () => Fit(pass => Rows.Points(Math.Max(30, 120 - (9 * pass))), teacher), "pass");
            yield return Case.WorksOrRefused($"labels that are others in each pass, taught by {who}", () => Fit(Relabelled, teacher), "pass");
        }

        yield return Case.Refused("a source that fails in row 7", () => Fit(_ => Torn(7), _ => Sample.Teaching()), "7", "The disk is gone");
        yield return Case.Refused("a source that fails in the second pass", () => Fit(
            pass => pass < 2 ? Rows.Points(120) : Torn(7),
            context => Teacher.FromTransformer(Sample.Regression(context).Fit(context.Data.LoadFromEnumerable(Rows.Points(120))))), "The disk is gone");
        yield return Case.Refused("a source that gives null", () => Fit(_ => Rows.Points(30).Select((row, i) => i == 5 ? null! : row), _ => Sample.Teaching()), "row");
    }

    private static IEnumerable<Case> Sets()
    {
        yield return Case.Refused("no rows", () => Sample.Fit(Sample.Short(), Log.Context().Data.FilterRowsByColumn(Sample.Points(), "Weight", lowerBound: 5)), "no rows");
        yield return Case.Refused("one row", () => Sample.Fit(Sample.Short(), Sample.Points(1)), "row");
        yield return Case.Refused("two rows of one class", () => Sample.Fit(Sample.Short(), Log.Context().Keyed(Rows.Points(4).Where(row => row.Label == "ash"))), "1 class");
        yield return Case.Refused("a class alone", () => Sample.Fit(Sample.Short(), Log.Context().Keyed(Rows.Points(90).Where(row => row.Label == "ash"))), "1 class");
        yield return Case.Told("two rows of two classes", () => Sample.Fit(Sample.Short(), Sample.Points(2)), "row");
        yield return Case.Told("fewer rows than a batch", () => Sample.Fit(Sample.Short() with { BatchSize = 500 }, Sample.Points(60)), "BatchSize");
        yield return Case.WorksOrRefused("batches of int.MaxValue", () => Sample.Learns(Sample.Learning() with { BatchSize = int.MaxValue, Epochs = 60 }), "BatchSize");
        yield return Case.WorksOrRefused("batches of one row", () => Sample.Learns(Sample.Learning() with { BatchSize = 1 }), "BatchSize");
        yield return Case.Refused("int.MaxValue epochs, cancelled", () =>
        {
            using var source = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            Sample.Fit(Sample.Short() with { Epochs = int.MaxValue, CancellationToken = source.Token });
        }, "cancel");
        yield return Case.Refused("a network of a billion in a fit", () => Sample.Fit(Sample.Short() with { Student = NetworkSpec.Mlp(1_000_000_000) }), "bytes", "1000000000");
        yield return Case.Refused("a network of two large layers in a fit", () => Sample.Fit(Sample.Short() with { Student = NetworkSpec.Mlp(1_000_000, 1_000_000) }), "bytes");
        yield return Case.Refused("a teacher of a billion", () => Sample.Fit(Sample.Short(Teacher.Train(NetworkSpec.Mlp(1_000_000_000)))), "bytes");
        yield return Case.Told("all rows weighted with 0 but one", () =>
        {
            var rows = Rows.Points(60);
            foreach (var row in rows.Skip(1))
                row.Weight = 0;
            Sample.Fit(Sample.Short() with { ExampleWeightColumnName = "Weight" }, Log.Context().Keyed(rows));
        }, "59 of 60 training rows", "Weight");
        yield return Case.Told("all rows of a class weighted with 0", () =>
        {
            var rows = Rows.Points(60);
            foreach (var row in rows.Where(row => row.Label == "cedar"))
                row.Weight = 0;
            Sample.Fit(Sample.Short() with { ExampleWeightColumnName = "Weight" }, Log.Context().Keyed(rows));
        }, "cedar", "whose weight is above 0");
        yield return Case.Refused("weights beyond what a float holds", () =>
        {
            var rows = Rows.Points(60);
            foreach (var row in rows)
                row.Weight = float.MaxValue;
            Sample.Fit(Sample.Short() with { ExampleWeightColumnName = "Weight" }, Log.Context().Keyed(rows));
        }, "Weight");
        yield return Case.Refused("a weight decay of 1e30", () => Sample.Fit(Sample.Short() with { Optimizer = Optimizer.AdamW(0.01, weightDecay: 1e30) }), "decay");
        yield return Case.Told("a clipping of 1e-300", () => Sample.Fit(Sample.Short() with { GradientClipping = 1e-300 }), "GradientClipping");
        yield return Case.Told("a loss weighted with 1e300", () => Sample.Fit(Sample.Short(Sample.Teaching()) with
        {
            Method = DistillationMethod.FromLoss("Heavy", 1e300 * new Losses.CrossEntropyLoss()),
        }), "1E+300");
    }

    private static IEnumerable<Case> Cultures()
    {
        yield return Case.Works("a student is the same in a culture of commas", () =>
        {
            var view = Sample.Points();
            var plain = Sample.Fit(Sample.Short(Sample.Teaching()), view).Scores(view);
            InCommas(() => Check.That(Same(Sample.Fit(Sample.Short(Sample.Teaching()), view).Scores(view), plain), "other scores"));
        });
        yield return Case.Works("a cache made in a culture of commas is found without", () =>
        {
            using var folder = new ToyFolder();
            var context = Log.Context();
            var raw = context.Data.LoadFromEnumerable(Rows.Points(120));
            var model = context.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
                .Append(context.Transforms.NormalizeMeanVariance("Scaled", "Features"))
                .Append(context.MulticlassClassification.Trainers.OneVersusAll(context.BinaryClassification.Trainers.AveragedPerceptron("TeacherClass", "Scaled"), "TeacherClass")).Fit(raw);
            var view = Sample.Points();
            DistillationOptions Options(CacheMode reuse) =>
                Sample.Short(Teacher.FromTransformer(model)) with { TeacherCache = new TeacherCacheOptions { Folder = folder.Path, Mode = reuse } };
            InCommas(() => Sample.Fit(Options(CacheMode.UseOrCreate), view));
            Sample.Fit(Options(CacheMode.UseOnly), view);
        });
        yield return Case.Works("a model's hash in a report is the same in a culture of commas", () =>
        {
            var context = Log.Context();
            var view = context.Keyed(Rows.Points(90, seed: 55));
            var teacher = Sample.Regression(context).Append(context.Transforms.NormalizeMinMax("Unused", "Features")).Fit(context.Data.LoadFromEnumerable(Rows.Points(120)));
            var student = Sample.Fit(Sample.Short());
            DistillationReport Report() => DistillationReport.Create(context, new ReportInput
            {
                Title = "A",
                Test = view,
                Student = student,
                Teacher = teacher,
                LabelColumnName = "Class",
                Evaluation = new() { BootstrapReplicates = 20, ConfidenceLevel = 0.8 },
            }) with
            { Created = default };
            var plain = Report();
            InCommas(() =>
            {
                var other = Report();
                Check.Equal(other.Teacher.Hash, plain.Teacher.Hash, "hash of the teacher");
                Check.Equal(other.Student.Hash, plain.Student.Hash, "hash of the student");
                Check.Equal(other.ToJson(), plain.ToJson(), "report");
                Check.Equal(other.ToHtml(), plain.ToHtml(), "page");
            });
        });
        yield return Case.Works("a message is the same in a culture of commas", () =>
        {
            string Message()
            {
                try
                {
                    Sample.Trainer(Sample.Short() with { ValidationFraction = 1.5, GradientClipping = -0.25 });
                    return "no error";
                }
                catch (ArgumentOutOfRangeException error)
                {
                    return error.Message;
                }
            }

            var plain = Message();
            InCommas(() => Check.Equal(Message(), plain, "message"));
        });
        yield return Case.Works("progress is written the same in a culture of commas", () =>
        {
            using var folder = new ToyFolder();
            string Lines(string name)
            {
                using (var progress = new JsonLinesProgress(folder.File(name)))
                    Sample.Fit(Sample.Short() with { Progress = progress });
                return string.Join('\n', File.ReadLines(folder.File(name)).Select(line => line.Contains("1,", StringComparison.Ordinal) && !line.Contains('{', StringComparison.Ordinal) ? "commas" : "lines"));
            }

            var plain = Lines("a");
            InCommas(() => Check.Equal(Lines("b"), plain, "lines"));
        });
    }

    private static IEnumerable<Case> Labels()
    {
        yield return Case.Works("no label at all, classes known from the key", () => Sample.Learns(
            Unlabelled(Sample.Teaching()), Without(_ => true)));
        yield return Case.Works("no label at all, with held-out rows", () => Sample.Learns(
            Unlabelled(Sample.Teaching()) with { ValidationFraction = 0.2, EarlyStopping = new EarlyStopping(6) }, Without(_ => true)));
        yield return Case.Works("one label in all", () => Sample.Learns(Unlabelled(Sample.Teaching()), Without(row => row > 0)));
        yield return Case.Works("labels of one class alone, the others learnt from the teacher", () => Sample.Learns(Unlabelled(Sample.Teaching()), Without(row => row % 3 != 0)));
        yield return Case.Refused("no label at all, learning from labels", () => Sample.Fit(Sample.Short() with { MissingLabels = MissingLabels.Drop }, Without(_ => true)), "label");
        yield return Case.Refused("no label at all, refused by default", () => Sample.Fit(Sample.Short(Sample.Teaching()), Without(_ => true)), "MissingLabels");
        yield return Case.Refused("no label at all, DKD that needs them", () => Sample.Fit(
            Unlabelled(Sample.Teaching()) with { Method = DistillationMethod.FromLoss("DKD", new Losses.DkdLoss(4)) }, Without(_ => true)), "label");
        yield return Case.Told("no label at all, a share of them wanted", () => Sample.Fit(Unlabelled(Sample.Teaching()) with { Method = DistillationMethod.Kd(alpha: 0.5) }, Without(_ => true)), "label");
        yield return Case.Told("a class without any row", () =>
        {
            var context = Log.Context();
            var keys = context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(context.Data.LoadFromEnumerable(Rows.Points(3)));
            Sample.Fit(Sample.Short(), keys.Transform(context.Data.LoadFromEnumerable(Rows.Points(120).Where(row => row.Label != "cedar"))));
        }, "cedar");
        yield return Case.Works("folds with a rare class", () =>
        {
            var rows = Rows.Points(120).Where((row, i) => row.Label != "cedar" || i < 9).ToArray();
            Sample.Fit(Sample.Short(Teacher.FromEstimator(Sample.Regression(), folds: 5)), Log.Context().Keyed(rows));
        });
        yield return Case.Works("folds with a class of one row", () =>
        {
            var rows = Rows.Points(120).Where((row, i) => row.Label != "cedar" || i < 3).ToArray();
            Sample.Fit(Sample.Short(Teacher.FromEstimator(Sample.Regression(), folds: 4)), Log.Context().Keyed(rows));
        });
        yield return Case.Refused("more folds than rows", () => Sample.Fit(Sample.Short(Teacher.FromEstimator(Sample.Regression(), folds: 500)), Sample.Points(60)), "folds", "500");
    }

    private static DistillationOptions Unlabelled(Teacher teacher) =>
        Sample.Learning(teacher) with { Method = DistillationMethod.Kd(alpha: 1), MissingLabels = MissingLabels.TeacherOnly };

    private static IDataView Without(Func<int, bool> label)
    {
        var context = Log.Context();
        var keys = context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(context.Data.LoadFromEnumerable(Rows.Points(3)));
        return keys.Transform(context.Data.LoadFromEnumerable(Rows.Points(120).Select((row, i) =>
        {
            row.Label = label(i) ? "?" : row.Label;
            return row;
        }).ToArray()));
    }

    private static void Fit(Func<int, IEnumerable<Point>> rows, Func<MLContext, Teacher> teacher)
    {
        var context = Log.Context();
        var view = context.Data.LoadFromEnumerable(new Anew(rows));
        var keyed = context.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(context.Data.LoadFromEnumerable(Rows.Points(3))).Transform(view);
        var student = Sample.Fit(Sample.Learning(teacher(context)) with { Method = DistillationMethod.Kd(alpha: 0.7) }, keyed);
        Check.AtLeast(Sample.Accuracy(student), 0.9, "accuracy");
    }

    private static Point[] Shuffled(Point[] rows, int seed)
    {
        new Random(seed).Shuffle(rows);
        return rows;
    }

    private static IEnumerable<Point> Relabelled(int pass) => Rows.Points(120).Select((row, i) => new Point
    {
        Features = row.Features,
        Label = pass < 2 ? row.Label : Rows.Classes[(i + pass) % 3],
    });

    private static IEnumerable<Point> Torn(int at) => Rows.Points(30).Select((row, i) => i < at ? row : throw new IOException("The disk is gone."));

    private static void InCommas(Action use)
    {
        var before = CultureInfo.CurrentCulture;
        // As de-DE and fa-IR write numbers, on systems without their data too.
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = ".";
        culture.NumberFormat.NegativeSign = "−";
        culture.NumberFormat.PercentDecimalSeparator = ",";
        culture.DateTimeFormat.ShortDatePattern = "dd.MM.yyyy";
        CultureInfo.CurrentCulture = culture;
        try
        {
            use();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static bool Same(float[][] one, float[][] other) => one.Zip(other).All(pair => pair.First.SequenceEqual(pair.Second));

    /// <summary>Rows of a function of the number of the pass.</summary>
    private sealed class Anew(Func<int, IEnumerable<Point>> rows) : IEnumerable<Point>
    {
        private int _passes;

        public IEnumerator<Point> GetEnumerator() => rows(Interlocked.Increment(ref _passes)).GetEnumerator();

        System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
