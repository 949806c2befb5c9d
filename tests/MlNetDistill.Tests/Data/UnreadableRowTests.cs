using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Methods;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows at which a step before the trainer, or a model, throws: ML.NET says only that one of its threads ended.</summary>
public sealed class UnreadableRowTests
{
    private const int Bad = 7;
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_step_before_the_trainer_that_throws_is_named_with_its_row_whatever_it_throws() => Assert.That(
        () => _context.Fit(Rows.Quick(), View(throws: true)),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "Row 7 (counted from 0) of the training data cannot be read: column 'Features' gives \"Sequence contains no matching element\" where Label is 'birch'. " +
            "Correct what the row is made from, or set MissingFeatures to Drop to leave such rows out."));

    [Test]
    public void Drop_leaves_the_row_out_for_student_and_teacher([Values] bool fittedHere)
    {
        var log = new RowsLog(_context);
        var whole = View(throws: false, without: Bad);
        float[][] Fit(IDataView rows) => _context.Fit(
            Rows.Quick(fittedHere ? Teacher.FromEstimator(_context.Regression()) : Teacher.FromTransformer(_context.Regression().Fit(whole))) with { MissingFeatures = MissingFeatures.Drop },
            rows).Scores(whole);
        var found = Fit(View(throws: true));
        Assert.Multiple(() =>
        {
            Assert.That(log.Warnings, Is.EqualTo(new[]
            {
                "Left out of the training data: 0 rows with NaN or infinite features, 0 without a label, " +
                "1 (rows 7, counted from 0) cannot be read, the first for \"Sequence contains no matching element\" where Label is 'birch'.",
            }));
            Assert.That(ModelScores.LargestDifference(found, Fit(whole)), Is.LessThan(1e-5f));
        });
    }

    [Test]
    public void Data_of_which_no_row_can_be_read_are_refused_with_the_reason() => Assert.That(
        () => _context.Fit(Rows.Quick() with { MissingFeatures = MissingFeatures.Drop }, View(throws: true, all: true)),
        Throws.InvalidOperationException.With.Message.StartsWith("None of the 240 rows of the training data is usable: ")
            .And.Message.Contains("240 (rows 0, 1, 2, 3, 4, …, counted from 0) cannot be read, the first for \"Sequence contains no matching element\""));

    [Test]
    public void A_teacher_that_fails_on_a_row_is_named_with_the_row([Values] bool embedding)
    {
        var view = View(throws: false);
        var teacher = Failing(view, embedding);
        var options = Rows.Quick(Teacher.FromTransformer(teacher, classNames: Rows.Classes, embeddingColumnName: "Embedding")) with
        {
            Method = DistillationMethod.Cckd(),
            MinimumTeacherAccuracy = 0,
        };
        Assert.That(() => _context.Fit(options, view), Throws.InvalidOperationException.With.Message.EqualTo(
            $"The teacher (an ML.NET model) fails on row 7 (counted from 0): column '{(embedding ? "Embedding" : "Score")}' gives \"No such device.\" where Label is 'birch'. " +
            "Correct or leave out what the row is made from."));
    }

    [Test]
    public void A_teacher_that_stumbles_over_a_null_is_named_with_the_row_and_may_be_disposed()
    {
        var view = View(throws: false);
        var teacher = _context.Transforms.CustomMapping<Read, OnlyScore>(
            (row, to) => to.Score = row.Weight == Bad ? throw new NullReferenceException() : RowsTeachers.Rule(row.Features), null).Fit(view);
        Assert.That(() => _context.Fit(Rows.Quick(Teacher.FromTransformer(teacher, classNames: Rows.Classes)), view), Throws.InvalidOperationException.With.Message.StartsWith(
            "The teacher (an ML.NET model) fails on row 7 (counted from 0): column 'Score' gives a NullReferenceException where Label is 'birch'. " +
            "Correct or leave out what the row is made from. A disposed model fails so: keep it until this is over."));
    }

    [Test]
    public void A_teacher_that_cannot_be_fitted_is_named() => Assert.That(
        () => _context.Fit(
            Rows.Quick(Teacher.FromEstimator(_context.Transforms.CustomMapping<Read, Read>((row, copy) => Copy(row, copy, false), null).Append(_context.Regression()))),
            View(throws: false)),
        Throws.InvalidOperationException.With.Message.StartsWith(
            "The teacher (an ML.NET pipeline, fitted here) cannot be fitted: one of its steps fails on a row with \"Sequence contains no matching element\"."));

    [Test]
    public void A_model_that_fails_in_an_evaluation_is_named_with_the_row()
    {
        var view = View(throws: false);
        var (good, bad) = (_context.Fit(Rows.Quick(), view), Failing(view, embedding: false));
        var options = new DistillationEvaluationOptions { TeacherClassNames = Rows.Classes };
        var scored = bad.Transform(view);
        var both = _context.Transforms.CopyColumns("Other", "Score").Fit(scored).Transform(scored);
        Assert.Multiple(() =>
        {
            Assert.That(
                () => _context.MulticlassClassification.EvaluateDistillation(view, bad, good, "Class", options: options),
                Throws.InvalidOperationException.With.Message.StartsWith("The teacher fails on row 7 (counted from 0): column 'Score' gives \"No such device.\" where Label is 'birch'."));
            Assert.That(
                () => _context.MulticlassClassification.EvaluateDistillation(View(throws: true), good, good, "Class"),
                Throws.InvalidOperationException.With.Message.Match("^The (teacher|student) fails on row 7 \\(counted from 0\\): ").And.Message.Contains("\"Sequence contains no matching element\" where Label is 'birch'"));
            Assert.That(
                () => _context.MulticlassClassification.EvaluateDistillation(both, "Score", "Other", "Class", options),
                Throws.InvalidOperationException.With.Message.StartsWith("Row 7 (counted from 0) of the data cannot be read: column 'Score' gives \"No such device.\""));
        });
    }

    private static void Copy(Read row, Read copy, bool all) => copy.Features = all || row.Weight == Bad ? new[] { Array.Empty<float>() }.First(f => f.Length > 0) : row.Features;

    /// <summary>Points whose weights are their numbers; a step may throw at one of them.</summary>
    private IDataView View(bool throws, int? without = null, bool all = false)
    {
        var rows = Rows.Points();
        foreach (var (i, row) in rows.Index())
            row.Weight = i;
        var keys = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        var view = keys.Transform(_context.Data.LoadFromEnumerable(rows.Where((_, i) => i != without).ToArray()));
        return throws ? _context.Transforms.CustomMapping<Read, Read>((row, copy) => Copy(row, copy, all), null).Fit(view).Transform(view) : view;
    }

    private ITransformer Failing(IDataView view, bool embedding) => _context.Transforms.CustomMapping<Read, Given>(
        (row, given) =>
        {
            given.Score = RowsTeachers.Rule(row.Features);
            given.Embedding = row.Features;
        },
        null).Append(embedding
            ? _context.Transforms.CustomMapping<Read, OnlyEmbedding>((row, to) => to.Embedding = row.Weight == Bad ? throw new IOException("No such device.") : row.Features, null)
            : (IEstimator<ITransformer>)_context.Transforms.CustomMapping<Read, OnlyScore>(
                (row, to) => to.Score = row.Weight == Bad ? throw new IOException("No such device.") : RowsTeachers.Rule(row.Features), null))
        .Fit(view);

    private sealed class Read
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];

        public float Weight { get; set; }
    }

    private sealed class Given
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];

        [VectorType(4)]
        public float[] Embedding { get; set; } = [];
    }

    private sealed class OnlyScore
    {
        [VectorType(3)]
        public float[] Score { get; set; } = [];
    }

    private sealed class OnlyEmbedding
    {
        [VectorType(4)]
        public float[] Embedding { get; set; } = [];
    }
}
