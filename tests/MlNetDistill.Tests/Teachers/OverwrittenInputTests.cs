using Microsoft.ML;
using Microsoft.ML.Data;
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
            "Give the step an output name of its own, for example NormalizeMeanVariance(\"Scaled\", \"Features\"), and use that for the student."));

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
