using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Cache;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using MlNetDistill.Training;

namespace MlNetDistill.Tests.Transfer;

/// <summary>Transfer rows in whole pipelines, with held-out rows of every kind, caches and a student alone beside.</summary>
public sealed class TransferPipelineTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_pipeline_with_a_cache_checkpoint_and_a_step_that_overwrites_its_column_gives_the_student_of_one_without_the_cache()
    {
        var raw = _context.Data.TrainTestSplit(_context.Data.LoadFromEnumerable(Rows.Points(160)), 0.25, seed: 2).TrainSet;
        var options = Rows.Quick(Teacher.FromEstimator(_context.Trees())) with { TransferRows = TransferRows.Munge(2), ValidationFraction = 0.2, CompareAlone = true };
        var steps = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(_context.Transforms.NormalizeMinMax("Features")).Append(_context.Transforms.NormalizeMeanVariance("Features"));
        var trainer = _context.MulticlassClassification.Trainers.Distill(options);
        var (plain, cached) = (steps.Append(trainer).Fit(raw), steps.AppendCacheCheckpoint(_context).Append(trainer).Fit(raw));
        Assert.Multiple(() =>
        {
            Assert.That(cached.LastTransformer.Model.Notes, Has.Some.Contains("rows without labels"));
            Assert.That(cached.Transform(raw).GetColumn<uint>("PredictedLabel"), Is.EqualTo(plain.Transform(raw).GetColumn<uint>("PredictedLabel")));
            Assert.That(plain.LastTransformer.Comparison!.Agreement, Is.Not.Null);
        });
    }

    [Test]
    public void Rows_that_were_made_saved_and_loaded_give_the_same_student()
    {
        using var folder = new ToyFolder();
        var view = _context.Keyed(Rows.Points(60));
        var options = Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with { MinimumTeacherAccuracy = 0, TransferRows = TransferRows.Interpolate(2), Epochs = 2 };
        var path = Path.Combine(folder.Path, "made.idv");
        using (var stream = File.Create(path))
            _context.Data.SaveAsBinary(_context.MulticlassClassification.Trainers.Distill(options).MakeTransferRows(view), stream);
        var loaded = _context.Data.LoadFromBinary(new MultiFileSource(path));
        Assert.That(_context.Fit(options with { TransferRows = TransferRows.From(loaded) }, view).Scores(view), Is.EqualTo(_context.Fit(options, view).Scores(view)));
    }

    [Test]
    public void Separate_validation_rows_are_answered_by_a_network_and_compared()
    {
        var view = _context.Keyed(Rows.Points(90));
        var options = Rows.Quick(Teacher.Train(NetworkSpec.Mlp(16), epochs: 6)) with
        {
            TransferRows = TransferRows.Spunge(2, share: 0.3),
            ValidationData = _context.Keyed(Rows.Points(60, seed: 7)),
            CompareAlone = true,
            EarlyStopping = new EarlyStopping(2),
        };
        var comparison = _context.Fit(options, view).Comparison!;
        Assert.Multiple(() =>
        {
            Assert.That(comparison.Rows, Is.EqualTo(60));
            Assert.That(comparison.Agreement, Is.Not.Null);
        });
    }

    [Test]
    public void Held_out_rows_without_labels_are_compared_by_agreement()
    {
        var rows = Rows.Points(120);
        foreach (var row in rows.Where((_, i) => i % 4 == 0))
            (row.Label, row.Held) = ("", true);
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points())).Transform(_context.Data.LoadFromEnumerable(rows));
        var options = Rows.Quick(_context.Saying(view, RowsTeachers.Rule)) with
        {
            TransferRows = TransferRows.MarginalSwap(1),
            ValidationColumnName = "Held",
            MissingLabels = MissingLabels.TeacherOnly,
            MinimumTeacherAccuracy = 0,
            CompareAlone = true,
        };
        var comparison = _context.Fit(options, view).Comparison!;
        Assert.Multiple(() =>
        {
            Assert.That((comparison.Rows, comparison.LabelledRows), Is.EqualTo((30, 0)));
            Assert.That(comparison.Accuracy, Is.Null);
            Assert.That(comparison.Agreement, Is.Not.Null);
        });
    }

    [Test]
    public void Kept_answers_of_an_ensemble_and_of_top_classes_are_used_again()
    {
        using var folder = new ToyFolder();
        var view = _context.Keyed(Rows.Points(60));
        var fitted = _context.Regression().Fit(view);
        var options = Rows.Quick(Teacher.Ensemble(Teacher.FromTransformer(fitted), Teacher.FromEstimator(_context.Trees(), folds: 2, cacheKey: "trees"))) with
        {
            TransferRows = TransferRows.Munge(2),
            ValidationFraction = 0.2,
            CompareAlone = true,
            Epochs = 2,
            TeacherCache = new TeacherCacheOptions { Folder = folder.Path, TopK = 2 },
        };
        var log = new RowsLog(_context);
        var first = _context.Fit(options, view).Scores(view);
        var folds = log.Lines.Count(line => line.StartsWith("Fitting the teacher on fold", StringComparison.Ordinal));
        Assert.Multiple(() =>
        {
            Assert.That(folds, Is.EqualTo(2));
            Assert.That(_context.Fit(options, view).Scores(view), Is.EqualTo(first));
            Assert.That(log.Lines.Count(line => line.StartsWith("Fitting the teacher on fold", StringComparison.Ordinal)), Is.EqualTo(2), "The second run reads the folder.");
        });
    }

    [Test]
    public void A_preflight_checks_the_fit_of_a_pipeline_with_folds_without_fitting_it()
    {
        var log = new RowsLog(_context);
        var view = _context.Keyed(Rows.Points(60));
        var options = Rows.Quick(Teacher.FromEstimator(_context.Trees(), folds: 3)) with { TransferRows = TransferRows.Munge(2).And(TransferRows.Spunge(1)), CompareAlone = true, ValidationFraction = 0.2 };
        var report = _context.MulticlassClassification.Trainers.Distill(options).Preflight(view);
        Assert.Multiple(() =>
        {
            Assert.That(report.TrainingRows, Is.EqualTo(48 * 4));
            Assert.That(log.Lines, Has.None.StartsWith("Fitting the teacher"));
        });
    }

    [Test]
    public void Sampling_of_classes_is_refused_before_anything_is_read() => Assert.That(
        () => _context.MulticlassClassification.Trainers.Distill(Rows.Quick(Teacher.FromEstimator(_context.Trees())) with { Sampling = BatchSampling.ClassUniform(4), TransferRows = TransferRows.Munge() }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("needs the label of every row, and TransferRows have none; use another Sampling."));

    [Test]
    public void A_fit_that_is_cancelled_makes_no_rows()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();
        var options = Rows.Quick(Teacher.FromEstimator(_context.Trees())) with { TransferRows = TransferRows.Munge(), CancellationToken = cancel.Token, OnCancellation = CancellationBehavior.ReturnBest };
        Assert.That(() => _context.Fit(options, _context.Keyed(Rows.Points(60))), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void Columns_that_nobody_reads_may_be_anything()
    {
        // Neither the student nor the teacher reads the date, the text or the vectors of differing lengths, so rows of one's own need not have them.
        var rows = Rows.Points(60).Select((p, i) => new Odd { Label = p.Label, Features = p.Features, Tokens = [.. Enumerable.Range(0, i % 4).Select(t => (float)t)], When = DateTime.UnixEpoch.AddDays(i) }).ToArray();
        var view = _context.Keyed(rows);
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(view));
        var own = _context.Data.LoadFromEnumerable(Rows.Points(40, seed: 3));
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(Rows.Quick(teacher) with { TransferRows = TransferRows.From(own).And(TransferRows.Munge(1)), Epochs = 2 }, view), Throws.Nothing);
            Assert.That(() => _context.Fit(Rows.Quick(Teacher.FromEstimator(_context.Trees())) with { TransferRows = TransferRows.Munge(1), Epochs = 2 }, view), Throws.Nothing);
        });
    }

    private sealed class Odd
    {
        public string Label { get; set; } = "";

        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float[] Tokens { get; set; } = [];

        public DateTime When { get; set; }
    }
}
