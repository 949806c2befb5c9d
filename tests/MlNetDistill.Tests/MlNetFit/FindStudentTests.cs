using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>The trained student of a pipeline, in one call.</summary>
public sealed class FindStudentTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _rows = new MLContext(seed: 1).View(ToyData.Points());

    [Test]
    public void A_student_is_found_before_further_steps_of_its_pipeline()
    {
        var model = _mlContext.Pipeline(ToyPipelines.Options() with { Epochs = 3 })
            .Append(_mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(_rows);

        var student = model.FindStudent();

        using var onnx = new MemoryStream();
        student.SaveOnnx(onnx);
        Assert.Multiple(() =>
        {
            Assert.That(student.Model.History.Select(epoch => epoch.Epoch), Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That((student.ScoreColumnName, student.PredictedLabelColumnName), Is.EqualTo(("Score", "PredictedLabel")));
            Assert.That(onnx.Length, Is.GreaterThan(0));
            Assert.That(model.FindStudents(), Is.EqualTo(new[] { student }));
        });
    }

    [Test]
    public void A_student_is_found_in_a_chain_within_a_chain_and_is_itself_when_it_stands_alone()
    {
        var inner = ToyModels.Points;
        var outer = _mlContext.Transforms.CopyColumns("Copy", "Features").Fit(_rows).Append(inner)
            .Append(_mlContext.Transforms.CopyColumns("Again", "Features").Fit(_rows));

        Assert.That(outer.FindStudent(), Is.SameAs(inner.LastTransformer));
        Assert.That(inner.LastTransformer.FindStudent(), Is.SameAs(inner.LastTransformer));
    }

    [Test]
    public void A_student_of_embeddings_is_not_taken_for_a_missing_one()
    {
        var context = new MLContext(seed: 1);
        var model = context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Epochs = 1 }).Fit(context.View(ToyEmbeddings.Draw(30, 3)));

        Assert.That(() => model.FindStudent(), Throws.InvalidOperationException.With.Message.Contains("gives embeddings (column 'Embedding'), and a student that classifies is needed"));
    }

    [Test]
    public void Of_two_students_in_a_pipeline_each_is_found_by_its_scores()
    {
        var model = Two(ToyPipelines.Options() with { ScoreColumnName = "First", PredictedLabelColumnName = "FirstLabel" });

        Assert.Multiple(() =>
        {
            Assert.That(model.FindStudent("First").Model.Spec, Is.EqualTo(NetworkSpec.Mlp(8)));
            Assert.That(model.FindStudent("Score").Model.Spec, Is.EqualTo(NetworkSpec.Mlp(4)));
            Assert.That(model.FindStudents().Select(student => student.Model.Spec), Is.EqualTo(new[] { NetworkSpec.Mlp(8), NetworkSpec.Mlp(4) }));
            Assert.That(() => model.FindStudent(), Throws.InvalidOperationException.With.Message.EqualTo(
                "The model contains 2 students: MLP 8 (score column 'First'), MLP 4 (score column 'Score'). Choose one by a score column that only it has, " +
                "FindStudent(\"...\"), or by its position in FindStudents(), which is in the order of the pipeline."));
            Assert.That(() => model.FindStudent("Third"), Throws.InvalidOperationException.With.Message.EqualTo(
                "The model contains no student with the score column 'Third'; it contains MLP 8 (score column 'First'), MLP 4 (score column 'Score')."));
        });
    }

    [Test]
    public void Of_two_students_that_both_write_Score_none_is_taken_for_the_other()
    {
        var model = Two(ToyPipelines.Options());

        Assert.That(() => model.FindStudent("Score"), Throws.InvalidOperationException.With.Message.StartsWith(
            "The model contains 2 students with the score column 'Score': MLP 8 (score column 'Score'), MLP 4 (score column 'Score')."));
        Assert.That(model.FindStudents()[0].Model.Spec, Is.EqualTo(NetworkSpec.Mlp(8)));
    }

    [Test]
    public void A_model_loaded_from_a_zip_has_no_student_and_the_error_says_why()
    {
        var loaded = _mlContext.Reloaded(ToyModels.Points, _rows.Schema);

        Assert.That(loaded.FindStudents(), Is.Empty);
        foreach (var find in new Action[] { () => loaded.FindStudent(), () => loaded.FindStudent("Score") })
        {
            Assert.That(() => find(), Throws.InvalidOperationException.With.Message.StartsWith(
                "The model contains no student; it consists of ValueToKeyMappingTransformer, OnnxTransformer, ").And.Message.EndsWith(
                "A model loaded from a zip consists of ML.NET's own transformers alone: call FindStudent on the model that Fit returned, before or after saving it."));
        }
    }

    [Test]
    public void An_empty_chain_is_called_one() => Assert.That(
        () => new EstimatorChain<ITransformer>().Fit(_rows).FindStudent(),
        Throws.InvalidOperationException.With.Message.EqualTo("The model contains no student; it is an empty chain. Append Distill(...) to the pipeline and fit it."));

    private ITransformer Two(DistillationOptions first) => _mlContext.Pipeline(first with { Epochs = 1 })
        .Append(_mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options(NetworkSpec.Mlp(4)) with { Epochs = 1 }))
        .Fit(_rows);
}
