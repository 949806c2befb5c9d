using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Teachers;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Teachers;

public sealed class OverwrittenInputTests
{
    private readonly MLContext _context = Rows.Context();
    private readonly IDataView _raw;

    public OverwrittenInputTests() => _raw = _context.Data.LoadFromEnumerable(Rows.Points());

    [Test]
    public void A_step_that_overwrites_a_column_the_teacher_reads_is_an_error_that_names_it() => Assert.That(
        () => Pipeline("Features", acceptOverwrittenInputs: false).Fit(_raw),
        Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher reads column 'Features', and an earlier step of this pipeline overwrote that column, so the teacher would score changed values. " +
            "Give the step an output name of its own, for example NormalizeMeanVariance(\"Scaled\", \"Features\"), and use that for the student. " +
            "If the teacher was fitted on the changed values, set acceptOverwrittenInputs: true."));

    private static IEnumerable<TestCaseData> Hidden()
    {
        yield return Case("selected", c => c.NormalizeMeanVariance("Features", fixZero: false).Append(c.SelectColumns("Class", "Features")));
        yield return Case("another dropped", c => c.NormalizeMeanVariance("Features", fixZero: false).Append(c.DropColumns("Weight")));
        yield return Case("copied over", c => c.NormalizeMeanVariance("Other", "Features", fixZero: false)
            .Append(c.CopyColumns("Features", "Other")).Append(c.SelectColumns("Class", "Features")));
        yield return Case("dropped and made again", c => c.NormalizeMeanVariance("Other", "Features", fixZero: false)
            .Append(c.DropColumns("Features")).Append(c.CopyColumns("Features", "Other")));
        yield return Case("selected away and made again", c => c.NormalizeMeanVariance("Other", "Features", fixZero: false)
            .Append(c.SelectColumns("Class", "Other")).Append(c.CopyColumns("Features", "Other")));

        static TestCaseData Case(string name, Func<TransformsCatalog, IEstimator<ITransformer>> steps) => new TestCaseData(steps).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(Hidden))]
    public void An_overwritten_input_went_unseen_after_steps_that_hide_it(Func<TransformsCatalog, IEstimator<ITransformer>> steps)
    {
        var teacher = _context.Regression().Fit(_raw);
        Assert.Multiple(() =>
        {
            Assert.That(() => Fit(rows => rows), Throws.InvalidOperationException.With.Message.StartsWith("The teacher reads column 'Features', and an earlier step"));
            Assert.That(
                () => Fit(rows => _context.Data.Cache(_context.Data.ShuffleRows(rows))),
                Throws.InvalidOperationException.With.Message.StartsWith("The teacher reads column 'Features', and an earlier step"));
        });

        void Fit(Func<IDataView, IDataView> change)
        {
            var rows = _context.Transforms.Conversion.MapValueToKey("Class", "Label").Append(steps(_context.Transforms)).Fit(_raw).Transform(_raw);
            _context.Fit(Rows.Quick(Teacher.FromTransformer(Predictor(teacher))) with { MinimumTeacherAccuracy = 0, Epochs = 1 }, change(rows));
        }
    }

    [Test]
    public void Who_names_an_overwritten_column_for_a_model_from_elsewhere_is_told_of_it()
    {
        using var module = TorchSharp.torch.nn.Linear(4, 3);
        var teacher = Teacher.FromModule(module, input: new TeacherInput { ColumnName = "Features" }, classNames: Rows.Classes, scoreKind: ScoreKind.Logits);
        IReadOnlyList<string> Warnings(string output) => _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.NormalizeMeanVariance(output, "Features", fixZero: false))
            .Append(_context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { MinimumTeacherAccuracy = 0, Epochs = 1 }))
            .Fit(_raw).LastTransformer.Model.Warnings;
        Assert.Multiple(() =>
        {
            Assert.That(Warnings("Features"), Has.One.StartsWith("Linear reads column 'Features', and an earlier step of this pipeline overwrote that column, so it reads"));
            Assert.That(Warnings("Scaled"), Has.None.Contains("overwrote"));
        });
    }

    [Test]
    public void A_step_that_writes_the_same_values_under_the_same_name_disturbs_nobody()
    {
        var pipeline = _context.Transforms.ReplaceMissingValues("Features")
            .Append(Pipeline("Scaled", acceptOverwrittenInputs: false));
        Assert.That(() => pipeline.Fit(_raw), Throws.Nothing);
    }

    /// <summary>The model alone, without the step that makes its label a key: the label need not be there.</summary>
    private static ITransformer Predictor(ITransformer model) => ((IEnumerable<ITransformer>)model).Last();

    [Test]
    public void Overwritten_columns_can_be_accepted() =>
        Assert.That(() => Pipeline("Features", acceptOverwrittenInputs: true).Fit(_raw), Throws.Nothing);

    [Test]
    public void A_step_with_an_output_of_its_own_disturbs_no_teacher() =>
        Assert.That(() => Pipeline("Scaled", acceptOverwrittenInputs: false).Fit(_raw), Throws.Nothing);

    [Test]
    public void Overwriting_a_column_the_teacher_does_not_read_disturbs_nobody()
    {
        var pipeline = _context.Transforms.Conversion.ConvertType("Weight", "Weight", DataKind.Double).Append(Pipeline("Scaled", acceptOverwrittenInputs: false));
        Assert.That(() => pipeline.Fit(_raw), Throws.Nothing);
    }

    [Test]
    public void A_label_made_a_key_in_place_failed_without_saying_that_the_teacher_wants_it_as_it_was()
    {
        var teacher = _context.Transforms.Conversion.MapValueToKey("Label").Append(_context.MulticlassClassification.Trainers.LbfgsMaximumEntropy()).Fit(_raw);
        var pipeline = _context.Transforms.Conversion.MapValueToKey("Label").Append(_context.MulticlassClassification.Trainers.Distill(
            Rows.Quick(Teacher.FromTransformer(teacher)) with { LabelColumnName = "Label", Epochs = 1 }));
        Assert.That(() => pipeline.Fit(_raw), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher cannot run on the columns of this pipeline, in which an earlier step overwrote 'Label'. Give the step an output name of its own, " +
            "for example MapValueToKey(\"Class\", \"Label\"), and use that for the student. ML.NET says: " +
            "Could not apply a map over type 'String' to column 'Label' since it has type 'Key<UInt32, 0-2>'"));
    }

    private EstimatorChain<DistillationTransformer> Pipeline(string scaled, bool acceptOverwrittenInputs)
    {
        var teacher = Teacher.FromTransformer(_context.Regression().Fit(_raw), acceptOverwrittenInputs: acceptOverwrittenInputs);
        return _context.Transforms.Conversion.MapValueToKey("Class", "Label")
            .Append(_context.Transforms.NormalizeMeanVariance(scaled, "Features", fixZero: false))
            .Append(_context.MulticlassClassification.Trainers.Distill(Rows.Quick(teacher) with { FeatureColumnName = scaled, MinimumTeacherAccuracy = 0, Epochs = 1 }));
    }
}
