using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Losses;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Data;

/// <summary>Rows without any label: a student learns from its teacher alone.</summary>
public sealed class NoLabelTests
{
    private static readonly DistillationMethod[] LearnFromTheTeacher =
    [
        DistillationMethod.Kd(alpha: 1),
        DistillationMethod.Kd(),
        DistillationMethod.Dist(),
        DistillationMethod.Cckd(beta: 1, withoutEmbedding: WithoutEmbedding.UseLogits),
        DistillationMethod.Of("standardised", (0.1 * new CrossEntropyLoss()) + (9 * new StandardizedLogitsLoss(new KdLoss(2)))),
    ];

    private MLContext _context = null!;
    private Point[] _rows = null!;
    private IDataView _view = null!;
    private IDataView _others = null!;
    private ITransformer _regression = null!;

    /// <summary>A regression that learnt from labelled rows teaches over others, whose labels are unknown values; MapValueToKey makes missing keys of these.</summary>
    [SetUp]
    public void Unlabelled()
    {
        _context = Rows.Context();
        _regression = _context.Regression().Fit(_context.Data.LoadFromEnumerable(Rows.Points(120, seed: 1)));
        _rows = Rows.Points();
        var toKey = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)));
        var others = Rows.Points(seed: 6);
        foreach (var row in _rows.Concat(others))
            row.Label = "unknown";
        _view = toKey.Transform(_context.Data.LoadFromEnumerable(_rows));
        _others = toKey.Transform(_context.Data.LoadFromEnumerable(others));
    }

    [TestCaseSource(nameof(LearnFromTheTeacher))]
    public void No_labelled_row_trains_a_student_of_the_keys_classes(DistillationMethod method)
    {
        var model = _context.Fit(Options() with { Method = method }, _view);
        Assert.Multiple(() =>
        {
            Assert.That(AgreementWithRegression(model, _view), Is.GreaterThan(0.95));
            Assert.That(Numbers(model), Has.All.Matches<double>(double.IsFinite));
            Assert.That(model.Model.History.SelectMany(epoch => epoch.Losses.Keys), Has.None.EqualTo("crossEntropy"), "it would be 0");
        });
    }

    [TestCaseSource(nameof(LearnFromTheTeacher))]
    public void No_label_column_trains_a_student_of_the_teachers_classes(DistillationMethod method)
    {
        var view = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var teacher = TeacherWithout();
        var model = _context.Fit(Options() with { Teacher = teacher, Method = method, LabelColumnName = null }, view);
        Assert.That(AgreementWithRegression(model, view), Is.GreaterThan(0.95));
    }

    [Test]
    public void A_teacher_that_makes_its_own_label_a_key_needs_none()
    {
        DistillationTransformer Fit(IDataView view) => _context.Fit(Options() with { Teacher = Teacher.FromTransformer(_regression), LabelColumnName = null }, view);
        var without = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var empty = _context.Data.LoadFromEnumerable(_rows.Select(row => new Point { Label = null!, Features = row.Features }));
        var expected = _context.Fit(Options(), _view).Scores(_view);
        var student = Fit(without);
        Assert.Multiple(() =>
        {
            Assert.That(student.Scores(without), Is.EqualTo(expected));
            Assert.That(Fit(empty).Scores(empty), Is.EqualTo(expected));
            Assert.That(
                _context.MulticlassClassification.EvaluateDistillation(without, _regression, student, labelColumnName: null).Agreement.Value,
                Is.EqualTo(_context.MulticlassClassification.EvaluateDistillation(empty, _regression, student, labelColumnName: null).Agreement.Value));
        });
    }

    [Test]
    public void A_column_that_the_teachers_answers_depend_on_is_not_made_up()
    {
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Key", "Label")
            .Append(_context.Transforms.Categorical.OneHotEncoding("Answer", "Label"))
            .Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy("Key", "Answer"));
        var teacher = pipeline.Fit(_context.Data.LoadFromEnumerable(_rows));
        var rows = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        Assert.That(
            () => _context.Fit(Options() with { Teacher = Teacher.FromTransformer(teacher), LabelColumnName = null }, rows),
            Throws.InvalidOperationException.With.Message.StartsWith("The teacher cannot run on the columns that the trainer receives: Could not find input column 'Label'"));
    }

    [Test]
    public void Both_ways_give_the_same_student()
    {
        var unnamed = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var keyed = _context.Fit(Options(), _view);
        var without = _context.Fit(Options() with { Teacher = TeacherWithout(), LabelColumnName = null }, unnamed);
        Assert.That(without.Scores(unnamed), Is.EqualTo(keyed.Scores(_view)));
    }

    [Test]
    public void It_saves_and_loads_with_the_teachers_class_names_in_a_pipeline()
    {
        var view = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var model = _context.MulticlassClassification.Trainers
            .Distill(TeacherWithout(), Student.Mlp(8), DistillationMethod.Kd(alpha: 1), labelColumnName: null, epochs: 4, batchSize: 16)
            .Append(_context.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(view);
        var loaded = _context.Reloaded(model, view.Schema);
        var said = loaded.Transform(view).GetColumn<string>("PredictedLabel").ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(said, Is.EqualTo(model.Transform(view).GetColumn<string>("PredictedLabel")));
            Assert.That(said.Distinct(), Is.EquivalentTo(Rows.Classes));
            Assert.That(loaded.Transform(view).Schema.GetColumnOrNull("__MlNetDistill.Class"), Is.Null);
        });
    }

    [Test]
    public void Values_of_the_teachers_keys_keep_their_type()
    {
        var numbered = Rows.Points(120, seed: 1).Select(row => new Numbered { Label = 7 * (1 + Array.IndexOf(Rows.Classes, row.Label)), Features = row.Features });
        var teacher = _context.Regression().Fit(_context.Data.LoadFromEnumerable(numbered));
        var scored = teacher.Transform(_context.Data.LoadFromEnumerable(numbered));
        var view = _context.Transforms.SelectColumns("Features", "Score").Fit(scored).Transform(scored);
        var model = _context.Fit(Options() with { Teacher = Teacher.FromColumn("Score"), LabelColumnName = null, ScoreColumnName = "Said" }, view);
        VBuffer<int> values = default;
        model.Transform(view).Schema["PredictedLabel"].GetKeyValues(ref values);
        Assert.That(values.DenseValues(), Is.EquivalentTo(new[] { 7, 14, 21 }));
    }

    [Test]
    public void A_map_says_the_students_classes()
    {
        var view = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var map = new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "broad", ["birch"] = "broad" } };
        var model = _context.Fit(Options() with { Teacher = TeacherWithout(map), LabelColumnName = null }, view);
        var dropped = _context.Fit(
            Options() with { Teacher = TeacherWithout(new ClassMap { Names = new Dictionary<string, string> { ["ash"] = "a", ["birch"] = "b" }, DropOthers = true }), LabelColumnName = null },
            view);
        Assert.Multiple(() =>
        {
            Assert.That(NamesOf(model, view), Is.EquivalentTo(new[] { "broad", "cedar" }));
            Assert.That(NamesOf(dropped, view), Is.EquivalentTo(new[] { "a", "b" }));
        });
    }

    [Test]
    public void A_module_with_class_names_teaches_rows_without_labels()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var view = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        var teacher = Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        var model = _context.Fit(Options() with { Teacher = teacher, LabelColumnName = null, Epochs = 20 }, view);
        var scored = _context.MulticlassClassification.Trainers.Distill(Options() with { Teacher = teacher, LabelColumnName = null }).ScoreTeacher(model.Transform(view));
        var metrics = _context.MulticlassClassification.EvaluateDistillation(scored, "TeacherScore", "Score", labelColumnName: null);
        Assert.That(metrics.Agreement.Value, Is.GreaterThan(0.9));
    }

    [Test]
    public void Held_out_rows_are_judged_by_agreement_with_the_teacher()
    {
        var model = _context.Fit(Options() with { ValidationFraction = 0.25, EarlyStopping = new EarlyStopping(3), Epochs = 8 }, _view);
        var history = model.Model.History;
        Assert.Multiple(() =>
        {
            Assert.That(history.Select(epoch => epoch.ValidationAccuracy), Has.All.Null);
            Assert.That(history.Select(epoch => epoch.ValidationAgreement), Has.All.InRange(0, 1));
            Assert.That(history.Select(epoch => epoch.ValidationLoss), Has.All.InRange(0, 10));
            Assert.That($"{history[^1]}", Does.Contain("validation agreement"));
        });
    }

    [Test]
    public void The_best_epoch_is_that_of_the_best_agreement()
    {
        foreach (var (row, i) in _rows.Select((row, i) => (row, i)))
            row.Held = i % 4 == 0;
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(_context.Data.LoadFromEnumerable(_rows));
        var model = _context.Fit(Options() with { ValidationColumnName = "Held", Epochs = 8, Optimizer = Optimizer.AdamW(0.1), Schedule = LearningRateSchedule.Constant() }, view);
        var held = _context.Data.FilterByCustomPredicate<Flag>(view, row => !row.Held);
        Assert.That(AgreementWithRegression(model, held), Is.EqualTo(model.Model.History.Max(epoch => epoch.ValidationAgreement!.Value)).Within(1e-9));
    }

    [Test]
    public void Labels_of_held_out_rows_alone_judge_the_student_that_learns_from_the_teacher()
    {
        foreach (var (row, i) in Rows.Points().Select((row, i) => (row, i)))
            (_rows[i].Held, _rows[i].Label) = (i % 4 == 0, i % 4 == 0 ? row.Label : "unknown");
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(_context.Data.LoadFromEnumerable(_rows));
        var model = _context.Fit(Options() with { Method = DistillationMethod.Kd(), ValidationColumnName = "Held" }, view);
        Assert.Multiple(() =>
        {
            Assert.That(model.Model.History[^1].ValidationAccuracy, Is.GreaterThan(0.9));
            Assert.That(model.Model.History[^1].ValidationAgreement, Is.Null);
            Assert.That(model.Model.Notes, Has.One.EqualTo("No row trained on has a label that counts: the student learns from the teacher alone."));
            Assert.That(model.Model.Warnings, Is.EqualTo(new[] { "No row trained on has a label that counts, so terms over labels are left out: crossEntropy (weight 0.1)." }));
        });
    }

    [Test]
    public void A_separate_view_without_labels_is_judged_by_a_teacher_that_can_answer_for_it()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var options = Options() with
        {
            Teacher = Teacher.FromModule(module, classNames: Rows.Classes, scoreKind: ScoreKind.Logits),
            LabelColumnName = null,
            ValidationData = _context.Data.LoadFromEnumerable(Rows.Points(60, seed: 9).Select(row => new Unnamed { Features = row.Features })),
        };
        var view = _context.Data.LoadFromEnumerable(_rows.Select(row => new Unnamed { Features = row.Features }));
        Assert.Multiple(() =>
        {
            Assert.That(_context.Fit(options, view).Model.History.Select(epoch => epoch.ValidationAgreement), Has.All.InRange(0, 1));
            Assert.That(() => _context.Fit(options with { Teacher = TeacherWithout() }, view), Throws.InvalidOperationException.With.Message.Contains(
                "answers for the training data alone. Hold rows of these out with ValidationFraction or ValidationColumnName, or give labelled rows."));
        });
    }

    [Test]
    public void Log_and_preflight_say_that_there_are_no_labels()
    {
        var log = new RowsLog(_context);
        _context.Fit(Options() with { Epochs = 1, ValidationFraction = 0.25 }, _view);
        var report = _context.MulticlassClassification.Trainers.Distill(Options()).Preflight(_view);
        Assert.Multiple(() =>
        {
            Assert.That(log.Lines, Has.Some.EqualTo("No row trained on has a label that counts: the student learns from the teacher alone."));
            Assert.That(log.Lines, Has.Some.EqualTo("Held-out rows have no labels either: agreement with the teacher takes the place of accuracy on them."));
            Assert.That(log.Lines, Has.Some.Contains("On 240 training rows it names 3 of 3 classes, with a mean confidence of 0."));
            Assert.That(log.Lines, Has.None.Contains("NaN"));
            Assert.That(report.LabelledRows, Is.Zero);
            Assert.That(report.Teacher!.Accuracy, Is.Null);
            Assert.That($"{report}", Does.Contain("3 classes, no labels; training on 240").And.Contains("no labels to judge it by").And.Not.Contain("NaN"));
        });
    }

    [Test]
    public void A_teacher_that_always_names_one_class_is_warned_of()
    {
        var log = new RowsLog(_context);
        _context.Fit(Options() with { Teacher = _context.Saying(_view, _ => [0.1f, 0.8f, 0.1f]), Epochs = 1 }, _view);
        Assert.That(log.Warnings, Has.Some.StartsWith("The teacher names the class 'birch' for every one of 240 rows."));
    }

    [Test]
    public void Example_weights_count_without_labels()
    {
        foreach (var row in _rows)
            row.Weight = 0;
        var view = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Fit(_context.Data.LoadFromEnumerable(Rows.Points(3)))
            .Transform(_context.Data.LoadFromEnumerable(_rows));
        Assert.That(() => _context.Fit(Options() with { ExampleWeightColumnName = "Weight" }, view), Throws.InvalidOperationException.With.Message.EqualTo(
            "Column 'Weight' gives every row of the training data weight 0, so nothing counts. Give some rows a weight above 0, or leave out ExampleWeightColumnName."));
    }

    [Test]
    public void What_learns_from_labels_alone_is_refused_by_name()
    {
        var alpha0 = Options() with { Method = DistillationMethod.Kd(alpha: 0) };
        var dkd = Options() with { Method = DistillationMethod.Of("DKD", new CrossEntropyLoss() + new DkdLoss(4)) };
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(alpha0, _view), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'KD' learns from labels alone (crossEntropy (weight 1)), and no row trained on has one. Use a method whose every stage learns from the teacher"));
            Assert.That(() => _context.Fit(dkd, _view), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'DKD' learns from labels alone (crossEntropy (weight 1), dkd (weight 1)), and no row trained on has one."));
            Assert.That(() => _context.Fit(Options() with { Teacher = Teacher.Train(Student.Mlp(8)) }, _view), Throws.InvalidOperationException.With.Message.Contains(
                "is trained on labels, and no row trained on has one that counts. Give a teacher that is trained already, or labelled rows."));
            Assert.That(() => _context.Fit(Options() with { Sampling = BatchSampling.ClassUniform(4) }, _view), Throws.InvalidOperationException.With.Message.EndsWith(
                "Use BatchSampling.SuperclassUniform, which goes by the teacher's answers."));
            Assert.That(() => _context.Fit(Options() with { MinimumTeacherAccuracy = 0.5 }, _view), Throws.InvalidOperationException.With.Message.EqualTo(
                "MinimumTeacherAccuracy 0.5 needs labels to compare the teacher with, and no row has one; leave it null."));
        });
    }

    [Test]
    public void A_head_that_learns_from_labels_is_refused_and_one_that_learns_from_the_teacher_trains()
    {
        using var first = TorchSharp.torch.nn.Sequential(TorchSharp.torch.nn.Linear(4, 16), TorchSharp.torch.nn.ReLU());
        using var last = TorchSharp.torch.nn.Linear(16, 3);
        using var module = TorchSharp.torch.nn.Sequential(first, last);
        var teacher = Teacher.FromModule(module, rows =>
        {
            var hidden = first.forward(rows);
            return new Networks.NetworkOutput(last.forward(hidden), null, [hidden]);
        }, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        var options = Options() with { Teacher = teacher };
        Assert.Multiple(() =>
        {
            Assert.That(() => _context.Fit(options with { Method = DistillationMethod.Sskd() }, _view), Throws.InvalidOperationException.With.Message.StartsWith(
                "Stage 'SSKD head' learns from labels alone"));
            Assert.That(Numbers(_context.Fit(options with { Method = DistillationMethod.Sskd(headLoss: new KdLoss(4)) }, _view)), Has.All.Matches<double>(double.IsFinite));
        });
    }

    [Test]
    public void Every_setting_that_needs_labels_is_refused_at_once_without_a_label_column()
    {
        var options = Rows.Quick(Teacher.Train(Student.Mlp(4))) with
        {
            LabelColumnName = null,
            Method = DistillationMethod.LabelsOnly(),
            Sampling = BatchSampling.ClassUniform(4),
            MinimumTeacherAccuracy = 0.5,
        };
        Assert.That(() => _context.MulticlassClassification.Trainers.Distill(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(
            "The method labels only learns from labels alone, and LabelColumnName is null: name the label column, or use a method that learns from a teacher. " +
            "The teacher (MLP 4) is trained on labels, and LabelColumnName is null: name the label column, or give a teacher that is trained already. " +
            "BatchSampling.ClassUniform goes by labels, and LabelColumnName is null; BatchSampling.SuperclassUniform goes by the teacher's answers. " +
            "MinimumTeacherAccuracy 0.5 needs labels to compare the teacher with, and LabelColumnName is null; leave it null."));
    }

    [Test]
    public void A_teacher_that_does_not_say_its_classes_is_refused_without_a_label_column()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var options = Options() with { Teacher = Teacher.FromModule(module), LabelColumnName = null };
        Assert.That(() => _context.Fit(options, _view), Throws.InvalidOperationException.With.Message.EqualTo(
            "LabelColumnName is null, so the classes are the teacher's, and the teacher (Linear) does not say what they are. Give classNames with the teacher, in the " +
            "order of its scores; or name a key column in LabelColumnName, whose values name the classes even where no row has a label."));
    }

    [Test]
    public void Without_leave_to_learn_from_the_teacher_alone_the_message_says_how() => Assert.Multiple(() =>
    {
        Assert.That(() => _context.Fit(Options() with { MissingLabels = MissingLabels.Error }, _view), Throws.InvalidOperationException.With.Message.Contains("TeacherOnly"));
        Assert.That(() => _context.Fit(Options() with { MissingLabels = MissingLabels.Drop }, _view), Throws.InvalidOperationException.With.Message.Contains("TeacherOnly"));
    });

    [Test]
    public void Evaluation_and_report_say_that_there_are_no_labels()
    {
        var model = _context.Fit(Options() with { ValidationFraction = 0.25 }, _view);
        var report = DistillationReport.Of(_context, new DistillationEvidence
        {
            Title = "Unlabelled",
            Test = _others,
            Training = _view,
            Teacher = _regression,
            Student = model,
            LabelColumnName = null,
            Criteria = new AcceptanceCriteria { MinimumAgreement = 0.9 },
        });
        var html = report.ToHtml();
        Assert.Multiple(() =>
        {
            Assert.That(report.Metrics.Student, Is.Null);
            Assert.That(report.Acceptance!.Passed, Is.True, $"{report.Acceptance}");
            Assert.That($"{report.Metrics}", Does.StartWith("240 rows, no labels, 3 classes").And.Not.Contain("Accuracy").And.Not.Contain("NaN"));
            Assert.That(report.Verdict[1], Is.EqualTo("None of the 240 rows has a label, so neither accuracy nor calibration is known."));
            Assert.That(html, Does.Contain("agreement with the teacher on held-out rows").And.Not.Contain("NaN"));
            Assert.That(
                () => new AcceptanceCriteria { MinimumAccuracyKept = 0.9 }.Judge(report.Metrics),
                Throws.InvalidOperationException.With.Message.Contains("ask for MinimumAgreement or MaximumDivergence instead"));
        });
    }

    private static DistillationOptions Quick(Teacher teacher) => Rows.Quick(teacher) with
    {
        Method = DistillationMethod.Kd(alpha: 1),
        MissingLabels = MissingLabels.TeacherOnly,
        Epochs = 8,
    };

    private static IEnumerable<double> Numbers(DistillationTransformer model) =>
        model.Model.History.SelectMany(epoch => epoch.Losses.Values.Append(epoch.ValidationLoss ?? 0).Append(epoch.ValidationAgreement ?? 0));

    private static string?[] NamesOf(DistillationTransformer model, IDataView view)
    {
        VBuffer<ReadOnlyMemory<char>> values = default;
        model.Transform(view).Schema["PredictedLabel"].GetKeyValues(ref values);
        return [.. values.DenseValues().Select(value => value.ToString())];
    }

    private DistillationOptions Options() => Quick(Teacher.FromTransformer(_regression));

    /// <summary>The regression alone: without the step that reads the label.</summary>
    private Teacher TeacherWithout(ClassMap? map = null) => Teacher.FromTransformer(((IEnumerable<ITransformer>)_regression).Last(), classMap: map);

    private double AgreementWithRegression(ITransformer model, IDataView view) =>
        Rows.Agreement(model.Predictions(view), ((IEnumerable<ITransformer>)_regression).Last().Predictions(view));

    private sealed class Unnamed
    {
        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Numbered
    {
        public int Label { get; set; }

        [VectorType(4)]
        public float[] Features { get; set; } = [];
    }

    private sealed class Flag
    {
        public bool Held { get; set; }
    }
}
