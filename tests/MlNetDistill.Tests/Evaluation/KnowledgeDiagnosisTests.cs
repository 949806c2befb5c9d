using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Core;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Tests.Support;
using static MlNetDistill.Tests.Evaluation.MetricsRows;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>How KD rescales gradients, of scored rows: the numbers of the loss's own function, and what they say.</summary>
public sealed class KnowledgeDiagnosisTests
{
    private readonly MLContext _mlContext = new(seed: 1);

    [TestCase(1, 0.5)]
    [TestCase(4, 0.9)]
    public void The_rescaling_is_that_of_the_gradients_of_the_loss(double temperature, double alpha)
    {
        using var scope = NewDisposeScope();
        var rows = Some(60);
        var labelled = rows.Where(row => row.Label is not null).ToArray();
        var (student, teacher) = (Logs(labelled, row => row.Student), Logs(labelled, row => row.Teacher));
        var expected = GradientRescaling.Compute(
            student, teacher.LogSoftmax(temperature), tensor(labelled.Select(row => (long)row.Label!.Value).ToArray()), temperature, alpha).data<double>().Order().ToArray();

        var diagnosis = _mlContext.MulticlassClassification.DiagnoseKnowledge(View(rows), "Teacher", "Student", "Label", temperature, alpha);

        Assert.Multiple(() =>
        {
            Assert.That((diagnosis.Rows, diagnosis.UnlabelledRows, diagnosis.CertainRows), Is.EqualTo((labelled.Length, rows.Length - labelled.Length, 0)));
            Assert.That(diagnosis.Mean, Is.EqualTo(expected.Average()).Within(1e-6));
            Assert.That(diagnosis.NegativeShare, Is.EqualTo(expected.Average(value => value < 0 ? 1.0 : 0)).Within(1e-12));
            Assert.That(diagnosis.Quantiles.Select(q => q.Share), Is.EqualTo(new[] { 0.05, 0.25, 0.5, 0.75, 0.95 }));
            Assert.That(diagnosis.Quantiles.Select(q => q.Value), Is.Ordered);
            Assert.That(diagnosis.Quantiles[2].Value, Is.InRange(expected[(expected.Length / 2) - 1], expected[expected.Length / 2]));
        });
    }

    /// <summary>At α = 1 and T = 1 a student that finds all classes equally probable has ω = (K p_y - 1) / (K - 1): it rises with the teacher's probability of the label.</summary>
    [Test]
    public void An_unsure_student_learns_more_from_rows_of_which_the_teacher_is_sure()
    {
        float[] even = [0.25f, 0.25f, 0.25f, 0.25f];
        MetricsRow[] rows =
        [
            new([0.7f, 0.1f, 0.1f, 0.1f], even, 0, 1), new([0.1f, 0.1f, 0.7f, 0.1f], even, 0, 2), new([0.4f, 0.2f, 0.2f, 0.2f], even, 0, 3), new([0.85f, 0.05f, 0.05f, 0.05f], even, 0, 4),
        ];
        var diagnosis = _mlContext.MulticlassClassification.DiagnoseKnowledge(View(rows), "Teacher", "Student", "Label", 1, 1);
        Assert.Multiple(() =>
        {
            Assert.That(diagnosis.Mean, Is.EqualTo((0.6 - 0.2 + 0.2 + 0.8) / 4).Within(1e-6));
            Assert.That(diagnosis.NegativeShare, Is.EqualTo(0.25));
            Assert.That(diagnosis.LabelProbabilityCorrelation, Is.EqualTo(1).Within(1e-12));
            // By confidence the rows are 0.4 (ω 0.2), 0.7 (0.6), 0.7 (-0.2), 0.85 (0.8).
            Assert.That(diagnosis.ConfidenceCorrelation, Is.EqualTo(3 / Math.Sqrt(4.5 * 5)).Within(1e-12));
        });
    }

    /// <summary>At α = 1 and T = 1, ω of two classes is 2 p_y - 1 for a student that finds both equally probable: p_y evenly in [0, 1] gives quantiles 2 q - 1.</summary>
    [Test]
    public void Quantiles_and_correlations_of_many_rows_are_those_of_a_sample_and_mean_and_sign_are_of_all()
    {
        const int count = 3 * KnowledgeDiagnosis.SampledRows;
        var rows = Enumerable.Range(0, count).Select(i => (float)(i * 7919L % count + 0.5) / count).Select((p, i) => new MetricsRow([p, 1 - p], [0.5f, 0.5f], 0, (ulong)i));
        var diagnosis = _mlContext.MulticlassClassification.DiagnoseKnowledge(View([.. rows]), "Teacher", "Student", "Label", 1, 1);
        Assert.Multiple(() =>
        {
            Assert.That((diagnosis.Rows, diagnosis.CertainRows), Is.EqualTo((count, 0)));
            Assert.That(diagnosis.Mean, Is.EqualTo(0).Within(1e-6));
            Assert.That(diagnosis.NegativeShare, Is.EqualTo(0.5).Within(1e-5));
            // The standard error of a sample's median of 262,144 numbers in [-1, 1] is 0.002.
            Assert.That(diagnosis.Quantiles.Select(q => q.Value), Is.EqualTo(new[] { -0.9, -0.5, 0, 0.5, 0.9 }).Within(0.01));
            Assert.That(diagnosis.LabelProbabilityCorrelation, Is.EqualTo(1).Within(1e-9));
            Assert.That(diagnosis.ConfidenceCorrelation, Is.EqualTo(0).Within(0.01));
        });
    }

    [Test]
    public void It_prints_as_a_table()
    {
        MetricsRow[] rows = [new([0.75f, 0.25f], [0.5f, 0.5f], 0, 1), new([0.25f, 0.75f], [0.5f, 0.5f], 0, 2), new([0.25f, 0.75f], [0.5f, 0.5f], null, 3), new([0.5f, 0.5f], [1, 0], 0, 4)];
        Assert.That(_mlContext.MulticlassClassification.DiagnoseKnowledge(View(rows), "Teacher", "Student", "Label", 1, 0.5).ToString(), Is.EqualTo("""
            Rescaling of gradients          T = 1, α = 0.5
            Rows                                         2
              without a label                            1
              student is certain                         1
            Mean                                    0.5000
              5 % are below                         0.2750
              25 % are below                        0.3750
              50 % are below                        0.5000
              75 % are below                        0.6250
              95 % are below                        0.7250
            Share below 0                           0.00 %
            Rank correlation with
              the teacher's confidence                   -
              its probability of the label          1.0000
            """.ReplaceLineEndings()));
    }

    [Test]
    public void Models_are_diagnosed_as_their_columns_are()
    {
        var rows = Rows.Points();
        var view = _mlContext.Keyed(rows);
        var teacher = _mlContext.Regression().Fit(view);
        var student = _mlContext.MulticlassClassification.Trainers.NaiveBayes("Class").Fit(view);
        var options = new DistillationEvaluationOptions { StudentScoreKind = ScoreKind.Logits };
        var byModel = _mlContext.MulticlassClassification.DiagnoseKnowledge(view, teacher, student, "Class", options: options);
        var scored = student.Transform(_mlContext.Transforms.CopyColumns("TeacherScore", "Score").Fit(teacher.Transform(view)).Transform(teacher.Transform(view)));
        var byColumn = _mlContext.MulticlassClassification.DiagnoseKnowledge(scored, "TeacherScore", "Score", "Class", options: options);
        Assert.That($"{byModel}", Is.EqualTo($"{byColumn}"));
        Assert.That(byModel.Rows + byModel.CertainRows, Is.EqualTo(rows.Length));
    }

    [Test]
    public void Settings_and_rows_that_allow_no_diagnosis_are_refused()
    {
        MetricsRow[] unlabelled = [new([0.75f, 0.25f], [0.5f, 0.5f], null, 1)];
        var catalog = _mlContext.MulticlassClassification;
        Assert.Multiple(() =>
        {
            Assert.That(() => catalog.DiagnoseKnowledge(View(unlabelled), "Teacher", "Student"), Throws.InvalidOperationException.With.Message.StartsWith("Of 1 row, 1 have no label"));
            Assert.That(() => catalog.DiagnoseKnowledge(View(unlabelled), "Teacher", "Teacher"), Throws.ArgumentException.With.Message.Contains("are both 'Teacher'"));
            Assert.That(() => catalog.DiagnoseKnowledge(View(unlabelled), "Teacher", "Student", temperature: 0, alpha: 2),
                Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("The temperature must be above 0; was 0.").And.Message.Contains("The alpha must be in [0, 1]; was 2."));
        });
    }

    private IDataView View(MetricsRow[] rows)
    {
        var classes = rows[0].Student.Length;
        var names = _mlContext.Data.LoadFromEnumerable(Enumerable.Range(0, classes).Select(c => new { Text = $"{c}" }));
        var loaded = _mlContext.Data.LoadFromEnumerable(
            rows.Select(row => new Scored { Text = row.Label is { } label ? $"{label}" : "", Teacher = row.Teacher, Student = row.Student }), Scored.Schema(classes));
        return _mlContext.Transforms.Conversion.MapValueToKey("Label", "Text", keyData: names).Fit(loaded).Transform(loaded);
    }

    private static Tensor Logs(MetricsRow[] rows, Func<MetricsRow, float[]> scores) =>
        tensor(rows.SelectMany(row => scores(row).Select(p => (double)p)).ToArray()).reshape(rows.Length, -1).log();

    private sealed class Scored
    {
        public string Text { get; set; } = "";

        public float[] Teacher { get; set; } = [];

        public float[] Student { get; set; } = [];

        public static SchemaDefinition Schema(int classes)
        {
            var schema = SchemaDefinition.Create(typeof(Scored));
            foreach (var column in new[] { nameof(Teacher), nameof(Student) })
                schema[column].ColumnType = new VectorDataViewType(NumberDataViewType.Single, classes);
            return schema;
        }
    }
}
