using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Tests.Support;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;
using static MlNetDistill.Tests.Evaluation.MetricsRows;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>EvaluateDistillation over ML.NET models, with ML.NET's own Evaluate as the judge of what both measure.</summary>
public sealed class MetricsEvaluateTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _test;
    private readonly ITransformer _teacher;
    private readonly ITransformer _student;
    private readonly DistillationMetrics _metrics;

    public MetricsEvaluateTests()
    {
        var split = _mlContext.Data.TrainTestSplit(_mlContext.Letters(), 0.4, seed: 1);
        _test = split.TestSet;
        // The classes of the two are in another order: by value, and by first occurrence.
        _teacher = _mlContext.Transforms.Conversion.MapValueToKey("TeacherClass", "Label", keyOrdinality: ByValue)
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("TeacherClass")).Fit(split.TrainSet);
        // Naive Bayes asks of each feature only whether it is above 0.
        _student = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_mlContext.Transforms.NormalizeMeanVariance("Scaled", "Features", fixZero: false))
            .Append(_mlContext.MulticlassClassification.Trainers.NaiveBayes("Class", "Scaled")).Fit(split.TrainSet);
        _metrics = Evaluate(_test, _teacher, _student, "Class");
    }

    [Test]
    public void Both_accuracies_are_those_of_ML_NETs_own_Evaluate()
    {
        Assert.Multiple(() =>
        {
            Assert.That(_metrics.Teacher!.Accuracy.Value, Is.EqualTo(Judge(_teacher, "TeacherClass").MicroAccuracy).Within(1e-12).And.InRange(0.5, 0.9));
            Assert.That(_metrics.Student!.Accuracy.Value, Is.EqualTo(Judge(_student, "Class").MicroAccuracy).Within(1e-12).And.InRange(0.15, 0.9));
        });
    }

    [Test]
    public void The_log_loss_is_that_of_ML_NETs_own_Evaluate() =>
        Assert.That(_metrics.Teacher!.LogLoss.Value, Is.EqualTo(Judge(_teacher, "TeacherClass").LogLoss).Within(1e-6));

    [Test]
    public void The_classes_one_by_one_are_those_of_ML_NETs_own_Evaluate()
    {
        var table = Judge(_student, "Class").ConfusionMatrix;
        Assert.That(_metrics.Classes, Is.EqualTo(ClassesOf(_student.Transform(_test).Schema["Class"])));
        Assert.That(_metrics.PerClass.Select(c => (double)c.StudentCorrect), Is.EqualTo(table.Counts.Select((row, c) => row[c])));
        Assert.That(_metrics.PerClass.Select(c => (double)c.Rows), Is.EqualTo(table.Counts.Select(row => row.Sum())));
    }

    [Test]
    public void Classes_are_matched_by_name()
    {
        var names = Names(_teacher, "TeacherClass").Zip(Names(_student, "Class"), (t, s) => t == s ? 1.0 : 0);
        Assert.That(_metrics.Agreement.Value, Is.EqualTo(names.Average()).Within(1e-12).And.InRange(0.3, 0.9));
    }

    [Test]
    public void A_student_is_its_own_teacher_whatever_the_order_of_its_classes()
    {
        var other = _mlContext.Transforms.Conversion.MapValueToKey("TeacherClass", "Label")
            .Append(_mlContext.MulticlassClassification.Trainers.NaiveBayes("TeacherClass")).Fit(_mlContext.Data.ShuffleRows(_test, seed: 5));
        var same = _mlContext.Transforms.Conversion.MapValueToKey("TeacherClass", "Label", keyOrdinality: ByValue)
            .Append(_mlContext.MulticlassClassification.Trainers.NaiveBayes("TeacherClass")).Fit(_test);
        var metrics = Evaluate(_test, other, same, "Label");
        Assert.That(metrics.Agreement.Value, Is.EqualTo(1));
        Assert.That(metrics.Divergence.Value, Is.EqualTo(0).Within(1e-9));
    }

    [Test]
    public void A_text_label_counts_as_the_key_made_of_it_does() => AreEqual(Evaluate(_test, _teacher, _student, "Label"), _metrics);

    [Test]
    public void The_label_may_be_a_key_of_the_teachers_whose_classes_are_in_another_order() =>
        AreEqual(Evaluate(_test, _teacher, _student, "TeacherClass"), _metrics);

    [Test]
    public void One_view_with_both_columns_measures_what_two_models_do()
    {
        var scored = Scored();
        var options = new DistillationEvaluationOptions { StudentScoreKind = ScoreKind.Logits };
        AreEqual(_mlContext.MulticlassClassification.EvaluateDistillation(scored, "TeacherScore", "Score", "Class", options), _metrics);
    }

    [Test]
    public void Shuffled_rows_change_nothing()
    {
        var options = new DistillationEvaluationOptions { StudentScoreKind = ScoreKind.Logits };
        var shuffled = _mlContext.Data.ShuffleRows(Scored(), seed: 7);
        Assert.That(shuffled.GetColumn<string>("Label"), Is.Not.EqualTo(_test.GetColumn<string>("Label")));
        AreEqual(_mlContext.MulticlassClassification.EvaluateDistillation(shuffled, "TeacherScore", "Score", "Class", options), _metrics);
    }

    [Test]
    public void The_scores_of_two_models_may_have_other_names()
    {
        var teacher = _teacher.Append(_mlContext.Transforms.CopyColumns("Probabilities", "Score").Fit(_teacher.Transform(_test)));
        var student = _student.Append(_mlContext.Transforms.CopyColumns("Logits", "Score").Fit(_student.Transform(_test)));
        var options = new DistillationEvaluationOptions { StudentScoreKind = ScoreKind.Logits };
        AreEqual(_mlContext.MulticlassClassification.EvaluateDistillation(_test, teacher, student, "Class", "Logits", "Probabilities", options), _metrics);
    }

    [Test]
    public void A_distilled_student_is_compared_with_its_teacher()
    {
        var points = _mlContext.View(ToyData.Points(seed: 2));
        var metrics = Evaluate(points, _mlContext.TeacherPipeline().Fit(points), ToyModels.Points, "Class");
        Assert.That(metrics.Classes, Is.EqualTo(new[] { "bee", "cat", "ant" }));
        var judge = _mlContext.MulticlassClassification.Evaluate(ToyModels.Points.Transform(points), "Class");
        Assert.That(metrics.Student!.Accuracy.Value, Is.EqualTo(judge.MicroAccuracy).Within(1e-12));
    }

    [Test]
    public void Two_students_of_one_teacher_are_compared_row_by_row()
    {
        var difference = Evaluate(_test, _teacher, _teacher, "Label").DifferenceFrom(_metrics);
        Assert.That(difference.Agreement.Value, Is.EqualTo(1 - _metrics.Agreement).Within(1e-12));
        Assert.That(difference.Accuracy!.Value.Lower, Is.LessThanOrEqualTo(difference.Accuracy.Value.Value));
    }

    [Test]
    public void Without_a_label_column_only_fidelity_is_measured()
    {
        var metrics = Evaluate(_test, _teacher, _student, null);
        Assert.That((metrics.Student, metrics.LabelledRows, metrics.Rows), Is.EqualTo(((object?)null, 0L, _metrics.Rows)));
        Assert.That(metrics.Agreement, Is.EqualTo(_metrics.Agreement));
    }

    private DistillationMetrics Evaluate(IDataView data, ITransformer teacher, ITransformer student, string? label) =>
        _mlContext.MulticlassClassification.EvaluateDistillation(data, teacher, student, label);

    private MulticlassClassificationMetrics Judge(ITransformer model, string label) =>
        _mlContext.MulticlassClassification.Evaluate(model.Transform(_test), label);

    private IDataView Scored() =>
        _student.Transform(_mlContext.Transforms.CopyColumns("TeacherScore", "Score").Fit(_teacher.Transform(_test)).Transform(_teacher.Transform(_test)));

    private string[] Names(ITransformer model, string key)
    {
        var scored = model.Transform(_test);
        var names = ClassesOf(scored.Schema[key]);
        return [.. ModelScores.ReadScores(scored).Select(row => names[Array.IndexOf(row, row.Max())])];
    }

    private static string[] ClassesOf(DataViewSchema.Column key)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        key.GetKeyValues(ref values);
        return [.. values.DenseValues().Select(v => v.ToString())];
    }
}
