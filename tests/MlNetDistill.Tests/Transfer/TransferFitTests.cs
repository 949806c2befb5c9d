using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

public sealed class TransferFitTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void The_same_rows_given_by_hand_give_the_same_student_bit_by_bit()
    {
        var (data, options) = Mixed(TransferRows.Munge(2.5));
        options = options with { ValidationFraction = 0.2 };
        var made = _context.MulticlassClassification.Trainers.Distill(options).MakeTransferRows(data);
        var scores = _context.Fit(options, data).Scores(data);
        Assert.Multiple(() =>
        {
            Assert.That(made.GetRowCount(), Is.EqualTo(120));
            Assert.That(_context.Fit(options with { TransferRows = TransferRows.From(made) }, data).Scores(data), Is.EqualTo(scores));
            Assert.That(_context.Fit(options, data).Scores(data), Is.EqualTo(scores));
            Assert.That(_context.Fit(options with { TransferRows = null }, data).Scores(data), Is.Not.EqualTo(scores));
        });
    }

    [Test]
    public void The_same_rows_are_made_whatever_filters_caches_splits_and_shuffles_are_on_the_way()
    {
        var (data, options) = Mixed(TransferRows.Munge(2));
        var expected = Made(data);
        var split = _context.Data.TrainTestSplit(_context.View(TransferData.Mixed(80)), 0.25, seed: 1).TrainSet;
        var whole = _context.Steps().Fit(split).Transform(_context.Data.Cache(_context.Data.FilterRowsByColumn(split, "Size", 0, 100)));
        Assert.Multiple(() =>
        {
            Assert.That(Made(_context.Data.Cache(data)), Is.EqualTo(expected));
            Assert.That(Made(_context.Data.FilterRowsByColumn(data, "Size", lowerBound: -1)), Is.EqualTo(expected));
            Assert.That(Made(_context.Data.ShuffleRows(data)), Is.EqualTo(expected));
            Assert.That(Made(_context.Data.FilterByCustomPredicate<MixedRow>(data, row => row.Size < -1)), Is.EqualTo(expected), "The predicate says what is left out.");
            Assert.That(Made(_context.Data.TakeRows(data, 30)), Has.Length.EqualTo(60));
            Assert.That(Made(whole), Has.Length.EqualTo(2 * split.GetColumn<float>("Size").Count()));
        });

        float[] Made(IDataView view) => [.. _context.MulticlassClassification.Trainers.Distill(options).MakeTransferRows(view).GetColumn<float>("Size")];
    }

    [Test]
    public void The_teacher_answers_for_what_the_steps_before_the_student_make_of_the_rows()
    {
        var seen = new HashSet<string>();
        var view = _context.Keyed(Rows.Points(30));
        var scaled = _context.Transforms.NormalizeMinMax("Scaled", "Features").Fit(view);
        var data = scaled.Transform(view);
        var teacher = _context.Saying(data, features =>
        {
            lock (seen)
                seen.Add(Text(features));
            return RowsTeachers.Rule(features);
        });
        var options = Rows.Quick(teacher) with { FeatureColumnName = "Scaled", TransferRows = TransferRows.Munge(2), MinimumTeacherAccuracy = 0, Epochs = 1 };
        _context.Fit(options, data);
        var made = _context.MulticlassClassification.Trainers.Distill(options).MakeTransferRows(data).GetColumn<float[]>("Features").ToArray();
        lock (seen)
            Assert.That(made.Select(Text), Is.SubsetOf(seen));

        static string Text(float[] row) => string.Join(' ', row.Select(x => FormattableString.Invariant($"{x:R}")));
    }

    public static readonly string[] Teachers = ["fitted here", "folds", "trained", "column", "ensemble"];

    [TestCaseSource(nameof(Teachers))]
    public void Every_kind_of_teacher_answers(string kind)
    {
        var view = _context.Keyed(Rows.Points());
        var known = _context.Regression().Fit(view);
        var data = kind == "column" ? known.Transform(view) : view;
        var teacher = kind switch
        {
            "fitted here" => Teacher.FromEstimator(_context.Regression()),
            "folds" => Teacher.FromEstimator(_context.Trees(), folds: 3),
            "trained" => Teacher.Train(NetworkSpec.Mlp(16), epochs: 6),
            "column" => Teacher.FromColumn("Score"),
            _ => Teacher.Ensemble(Teacher.FromTransformer(known), Teacher.Train(NetworkSpec.Mlp(16), epochs: 6)),
        };
        var model = _context.Fit(Rows.Quick(teacher) with { TransferRows = TransferRows.Munge(1.5).And(TransferRows.Interpolate(0.5) with { Weight = 0.5 }), Epochs = 3 }, data);
        Assert.Multiple(() =>
        {
            Assert.That(model.AccuracyOn(Rows.Points(), view), Is.GreaterThan(0.9));
            Assert.That(model.Model.Notes, Has.Some.Contain("480 rows without labels"));
        });
    }

    [Test]
    public void Unlabelled_rows_teach_what_few_labelled_ones_do_not()
    {
        var (few, many) = (_context.Keyed(Rows.Points(12)), _context.Data.LoadFromEnumerable(Rows.Points(300, seed: 8).Select(p => new Unlabelled { Features = p.Features })));
        var options = Rows.Quick(_context.Saying(few, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0, Method = DistillationMethod.Kd(alpha: 1), BatchSize = 4 };
        var test = Rows.Points(200, seed: 9);
        var view = _context.Keyed(test);
        int[] rule = [.. test.Select(RowsTeachers.RuleClass)];
        var (without, with) = (_context.Fit(options, few).Predictions(view), _context.Fit(options with { TransferRows = TransferRows.From(many) }, few).Predictions(view));
        Assert.That(Rows.Agreement(with, rule), Is.GreaterThan(Rows.Agreement(without, rule) + 0.05));
    }

    [Test]
    public void A_cache_in_a_folder_is_used_for_the_same_rows_only([Values(null, "points")] string? key)
    {
        using var folder = new ToyFolder();
        var view = _context.Keyed(Rows.Points(60));
        var asked = 0;
        var teacher = Teacher.FromTransformer(_context.Says(view, features =>
        {
            Interlocked.Increment(ref asked);
            return RowsTeachers.Rule(features);
        }), classNames: Rows.Classes, cacheKey: "rule");
        var options = Rows.Quick(teacher) with
        {
            MinimumTeacherAccuracy = 0,
            Epochs = 1,
            TransferRows = TransferRows.Munge(),
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path, CacheKey = key },
        };
        Assert.Multiple(() =>
        {
            Assert.That(Asked(options), Is.GreaterThanOrEqualTo(360));
            Assert.That(Asked(options), Is.LessThan(100), "A few rows are asked again, to compare them.");
            Assert.That(Asked(options with { TransferRows = TransferRows.MarginalSwap() }), Is.GreaterThanOrEqualTo(360));
        });

        int Asked(DistillationOptions settings)
        {
            asked = 0;
            _context.Fit(settings, view);
            return asked;
        }
    }

    [Test]
    public void Preflight_judges_the_teacher_by_the_data_alone()
    {
        var (data, options) = Mixed(TransferRows.MarginalSwap(5, 1));
        var (with, without) = (Preflight(options), Preflight(options with { TransferRows = null }));
        Assert.Multiple(() =>
        {
            Assert.That(with.Teacher!.Accuracy, Is.EqualTo(without.Teacher!.Accuracy));
            Assert.That(with.TrainingRows, Is.EqualTo(360));
            Assert.That(with.LabelledRows, Is.EqualTo(60));
        });

        Fitting.PreflightReport Preflight(DistillationOptions settings) => _context.MulticlassClassification.Trainers.Distill(settings).Preflight(data);
    }

    private (IDataView Data, DistillationOptions Options) Mixed(TransferRows transfer)
    {
        var view = _context.View(TransferData.Mixed());
        var data = _context.Steps().Fit(view).Transform(view);
        var teacher = Teacher.FromTransformer(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class").Fit(data));
        return (data, Rows.Quick(teacher) with { TransferRows = transfer });
    }

    private sealed class Unlabelled
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }
}
