using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Evaluation;
using static Microsoft.ML.Transforms.ValueToKeyMappingEstimator.KeyOrdinality;

namespace MlNetDistill.Tests.Evaluation;

/// <summary>Columns of scores and labels: how their classes are found and matched, and what is said where they cannot be.</summary>
public sealed class MetricsColumnsTests
{
    private static readonly Pair[] Rows =
    [
        new() { Label = "ash", Number = 1, Teacher = [0.7f, 0.2f, 0.1f], Student = [0.1f, 0.2f, 0.7f] },
        new() { Label = "birch", Number = 2, Teacher = [0.2f, 0.7f, 0.1f], Student = [0.1f, 0.7f, 0.2f] },
        new() { Label = "", Number = 0, Teacher = [0.1f, 0.2f, 0.7f], Student = [0.1f, 0.7f, 0.2f] },
    ];

    private readonly MLContext _mlContext = new(seed: 1);

    [Test]
    public void Scores_without_names_go_by_number_and_a_keys_values_name_their_classes()
    {
        var metrics = Evaluate(Keyed(), "Class");
        Assert.That(metrics.Classes, Is.EqualTo(new[] { "ash", "birch", "cedar" }));
        Assert.That(metrics.Teacher!.Accuracy.Value, Is.EqualTo(1));
        Assert.That(metrics.Student!.Accuracy.Value, Is.EqualTo(0.5));
        Assert.That(metrics.Agreement.Value, Is.EqualTo(1.0 / 3));
    }

    [Test]
    public void A_missing_label_counts_for_fidelity_and_not_for_accuracy()
    {
        var metrics = Evaluate(Keyed(), "Class");
        Assert.That((metrics.Rows, metrics.LabelledRows), Is.EqualTo((3, 2)));
    }

    [Test]
    public void Names_that_only_the_caller_knows_are_matched_too()
    {
        var reversed = new DistillationEvaluationOptions { TeacherClassNames = ["cedar", "birch", "ash"] };
        var metrics = Evaluate(Keyed(), "Class", reversed);
        Assert.That(metrics.Agreement.Value, Is.EqualTo(2.0 / 3));
        Assert.That(metrics.Matrix[2, 2], Is.EqualTo(1));
    }

    [Test]
    public void A_key_without_values_is_a_number_of_a_class()
    {
        var definition = SchemaDefinition.Create(typeof(Pair));
        definition[nameof(Pair.Number)].ColumnType = new KeyDataViewType(typeof(uint), 3);
        // Typed rows count keys from 0.
        var metrics = Evaluate(_mlContext.Data.LoadFromEnumerable(Rows, definition), "Number");
        Assert.That(metrics.Classes, Is.EqualTo(new[] { "0", "1", "2" }));
        Assert.That(metrics.PerClass.Select(c => c.Rows), Is.EqualTo(new[] { 1, 1, 1 }));
    }

    [Test]
    public void A_key_without_values_is_not_matched_with_a_students_names_by_position()
    {
        var definition = SchemaDefinition.Create(typeof(Pair));
        definition[nameof(Pair.Number)].ColumnType = new KeyDataViewType(typeof(uint), 3);
        var scored = Model().Transform(_mlContext.Data.LoadFromEnumerable(Rows, definition));
        var both = _mlContext.Transforms.CopyColumns("TeacherScore", "Score").Fit(scored).Transform(scored);
        Refuses(
            () => _mlContext.MulticlassClassification.EvaluateDistillation(both, "TeacherScore", "Score", "Number"),
            "The label 'Number' is a key without values, so its classes cannot be matched with the student's classes 'ash', 'birch', 'cedar'; " +
            "classes are never matched by position");
    }

    [Test]
    public void A_key_value_that_the_student_never_saw_is_an_error_that_names_it() => Refuses(
        () => Evaluate(Model(), "Label", Rows[0] with { Label = "fir" }, key: true),
        "Row 0 (counted from 0) has the label 'fir' in column 'Label', which is none of the student's classes: 'ash', 'birch', 'cedar'. " +
        "Leave such rows out, or use the key column that the student's own pipeline makes of the label: there it counts as missing, and the row for " +
        "fidelity alone.");

    [Test]
    public void A_text_that_the_student_never_saw_is_an_error_that_names_it() => Refuses(
        () => Evaluate(Model(), "Label", Rows[0] with { Label = "fir" }), "Row 0 (counted from 0) has the label 'fir' in column 'Label'");

    [Test]
    public void To_the_key_of_the_students_own_pipeline_it_is_missing()
    {
        var metrics = Evaluate(Model(), "Class", Rows[0] with { Label = "fir" });
        Assert.That((metrics.Rows, metrics.LabelledRows), Is.EqualTo((1, 0)));
    }

    [Test]
    public void A_student_that_names_its_classes_asks_for_the_teachers_names() => Refuses(
        () => _mlContext.MulticlassClassification.EvaluateDistillation(Model().Transform(View(Rows)), "Teacher", "Score", "Class"),
        "The teacher's column 'Teacher' has no names for the classes of its 3 scores, and classes are never matched by position. " +
        "Give TeacherClassNames with the teacher, in the order of its scores. The student's classes are 'ash', 'birch', 'cedar'.");

    [Test]
    public void Another_teachers_classes_are_refused_with_both_lists() => Refuses(
        () => Evaluate(Keyed(), "Class", new() { TeacherClassNames = ["ash", "birch", "fir"] }),
        "The classes of the teacher (column 'Teacher') and of the student differ: the teacher lacks 'cedar'; the student lacks 'fir'.");

    [Test]
    public void Models_that_do_not_give_the_same_rows_are_refused()
    {
        var view = View(Rows);
        var filter = new FilteringModel(rows => _mlContext.Data.SkipRows(rows, 1));
        Refuses(
            () => _mlContext.MulticlassClassification.EvaluateDistillation(view, filter, new FilteringModel(rows => rows), null, "Student", "Teacher"),
            "Teacher and student must return the same rows in the same order; row 0 (counted from 0) has the id 1 in the teacher's output and 0 in the student's.");
        var fewer = new FilteringModel(rows => _mlContext.Data.TakeRows(rows, 2));
        Refuses(
            () => _mlContext.MulticlassClassification.EvaluateDistillation(view, new FilteringModel(rows => rows), fewer, null, "Student", "Teacher"),
            "Teacher and student must return the same rows in the same order; the student's output has 2 rows, the teacher's more.");
    }

    [Test]
    public void No_rows_are_an_error() => Refuses(() => Evaluate(View([]), "Label"), "There are no rows to evaluate.");

    [TestCase(
        "Nothing", "Student", "Class",
        "The teacher's score column 'Nothing' is not in the data. Its columns are 'Label', 'Number', 'Teacher', 'Student', 'Class'; name one of them as " +
        "teacherScoreColumnName.")]
    [TestCase("Teacher", "Nothing", "Class", "name one of them as studentScoreColumnName. If a step of the pipeline adds it, give rows that have passed that step.")]
    [TestCase("Teacher", "Student", "Nothing", "name one of them as labelColumnName, or null for rows without labels. If a step of the pipeline adds it, give rows that have passed that step.")]
    [TestCase(
        "Teacher", "Label", "Class",
        "Column 'Label' must be Vector<Single, K> with one score for each class; found String. A multiclass model gives such a column; name that one.")]
    [TestCase("Teacher", "Student", "Teacher", "Column 'Teacher' must be Key<UInt32> or String; found Vector<Single, 3>.")]
    public void Columns_that_are_missing_or_of_the_wrong_type_are_named(string teacher, string student, string label, string message) => Assert.That(
        () => _mlContext.MulticlassClassification.EvaluateDistillation(Keyed(), teacher, student, label),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(message));

    [TestCase(null, "Student", "teacherScoreColumnName")]
    [TestCase("Teacher", "", "studentScoreColumnName")]
    public void A_column_of_no_name_is_refused_by_what_it_is_for(string? teacher, string student, string parameter) => Assert.That(
        () => _mlContext.MulticlassClassification.EvaluateDistillation(Keyed(), teacher!, student, "Class"),
        Throws.InstanceOf<ArgumentException>().With.Property("ParamName").EqualTo(parameter));

    [Test]
    public void Scores_that_are_no_probabilities_are_refused_with_row_and_remedy() => Refuses(
        () => Evaluate(View([Rows[0], Rows[0] with { Student = [3, -1, 0] }]), null),
        "The student's column 'Student' does not hold probabilities: row 1 (counted from 0, row id 1) holds 3, -1, 0, which sum to 2. " +
        "Set StudentScoreKind to Logits if these are scores before softmax, to Margins if they are decision values; a model that gives neither must be " +
        "calibrated first.");

    [Test]
    public void A_score_that_is_NaN_is_refused_with_row_and_class() => Refuses(
        () => Evaluate(View([Rows[0] with { Teacher = [0, float.NaN, 0] }]), null),
        "The teacher's column 'Teacher' must hold finite scores; row 0 (counted from 0, row id 0) has NaN for class 1 (counted from 0).");

    [Test]
    public void Options_that_are_out_of_range_are_named_all_at_once() => Assert.That(
        () => Evaluate(Keyed(), "Class", new() { ReliabilityBins = 0, BootstrapReplicates = 1, ConfidenceLevel = 1, TopK = [0], WorstRegressions = -1 }),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(string.Join(
            Environment.NewLine,
            "ReliabilityBins must be at least 1; was 0.",
            "TopK must hold numbers of at least 1; was 0.",
            "BootstrapReplicates must be at least 2, or 0 for no intervals; was 1.",
            "ConfidenceLevel must be between 0 and 1; was 1.",
            "WorstRegressions must be at least 0; was -1.")));

    [Test]
    public void An_evaluator_needs_two_classes_with_names_of_their_own()
    {
        void Refused(string[] classes, string message) =>
            Assert.That(() => new DistillationEvaluator(classes), Throws.ArgumentException.With.Message.StartsWith(message));
        Refused(["a"], "There must be at least 2 classes; found 1.");
        Refused(["a", ""], "Every class must have a name; one is empty.");
        Refused(["a", "b", "a"], "Every class must have a name of its own; 'a' is given more than once.");
    }

    [Test]
    public void A_row_of_too_many_scores_is_refused() => Assert.That(
        () => new DistillationEvaluator(["a", "b"]).Add([1, 0, 0], [1, 0], null, 5),
        Throws.ArgumentException.With.Message.EqualTo(
            "The teacher's row of scores must hold 2 scores, one for each class; row 0 (counted from 0, row id 5) has 3."));

    [Test]
    public void A_label_that_is_no_class_is_refused() => Assert.That(
        () => new DistillationEvaluator(["a", "b"]).Add([1, 0], [1, 0], 2, 5),
        Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
            "The label of row 0 (counted from 0, row id 5) must be a class from 0 to 1, or null for none; was 2."));

    private static void Refuses(Action evaluate, string message) =>
        Assert.That(evaluate, Throws.InvalidOperationException.With.Message.StartsWith(message));

    private DistillationMetrics Evaluate(IDataView view, string? label, DistillationEvaluationOptions? options = null) =>
        _mlContext.MulticlassClassification.EvaluateDistillation(view, "Teacher", "Student", label, options);

    /// <summary>One row, scored by a model as its own teacher; its label as it stands or, with <paramref name="key"/>, as a key of its own.</summary>
    private DistillationMetrics Evaluate(ITransformer model, string label, Pair row, bool key = false)
    {
        var view = View([row]);
        var scored = model.Transform(view);
        if (key)
            scored = _mlContext.Transforms.Conversion.MapValueToKey("Label").Fit(scored).Transform(scored);
        scored = _mlContext.Transforms.CopyColumns("TeacherScore", "Score").Fit(scored).Transform(scored);
        return _mlContext.MulticlassClassification.EvaluateDistillation(scored, "TeacherScore", "Score", label);
    }

    private IDataView View(IEnumerable<Pair> rows) => _mlContext.Data.LoadFromEnumerable(rows.ToArray());

    /// <summary>The rows with a key of three values.</summary>
    private IDataView Keyed()
    {
        var values = View(Support.Rows.Classes.Select(name => Rows[0] with { Label = name }));
        return _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue).Fit(values).Transform(View(Rows));
    }

    private ITransformer Model()
    {
        var rows = View(Support.Rows.Classes.Select((name, c) => new Pair { Label = name, Teacher = [c, 1, 0], Student = [0, 0, c] }));
        return _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label", keyOrdinality: ByValue)
            .Append(_mlContext.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Class", "Student")).Fit(rows);
    }

    private sealed record Pair
    {
        public string Label { get; set; } = "";

        public uint Number { get; set; }

        [VectorType(3)]
        public float[] Teacher { get; set; } = [];

        [VectorType(3)]
        public float[] Student { get; set; } = [];
    }

    private sealed class FilteringModel(Func<IDataView, IDataView> filter) : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        public IDataView Transform(IDataView input) => filter(input);

        public void Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }
}
