using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.MlNetFit;

/// <summary>The trainer among other steps.</summary>
public sealed class PipelineTests
{
    private readonly MLContext _mlContext = new(seed: 1);
    private readonly IDataView _points;

    public PipelineTests() => _points = _mlContext.View(ToyData.Points());

    [Test]
    public void Steps_after_the_trainer_read_its_columns()
    {
        var transforms = _mlContext.Transforms;
        var model = _mlContext.Pipeline(ToyPipelines.Options())
            .Append(transforms.Conversion.MapKeyToValue("Name", "PredictedLabel"))
            .Append(transforms.Concatenate("Both", "Features", "Score"))
            .Append(_mlContext.Clustering.Trainers.KMeans("Both", numberOfClusters: 3))
            .Fit(_points);
        var scored = model.Transform(_points);
        Assert.That(((VectorDataViewType)scored.Schema["Both"].Type).Size, Is.EqualTo(ToyData.Features + 3));
        var loaded = _mlContext.Reloaded(model, _points.Schema).Transform(_points);
        Assert.That(loaded.GetColumn<float[]>("Both"), Is.EqualTo(scored.GetColumn<float[]>("Both")));
        Assert.That(loaded.GetColumn<string>("Name"), Is.EqualTo(scored.GetColumn<string>("Name")));
    }

    [Test]
    public void A_pipeline_may_cache_before_the_trainer()
    {
        var pipeline = _mlContext.Transforms.Conversion.MapValueToKey("Class", "Label")
            .AppendCacheCheckpoint(_mlContext)
            .Append(_mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options()));
        Assert.That(ModelScores.ReadLines(pipeline.Fit(_points).Transform(_points)), Is.EqualTo(ModelScores.ReadLines(ToyModels.Points.Transform(_points))));
    }

    [Test]
    public void A_teacher_and_two_students_live_side_by_side_here_and_after_loading()
    {
        var teacher = _mlContext.TeacherPipeline();
        var alone = teacher.Fit(_points);
        var expected = ModelScores.ReadLines(alone.Transform(_points));
        var model = teacher.Append(_mlContext.Pipeline(SideBySide("A", NetworkSpec.Mlp(8), alone))).Append(
            _mlContext.MulticlassClassification.Trainers.Distill(SideBySide("B", NetworkSpec.Mlp(), alone))).Fit(_points);
        foreach (var either in new[] { model, _mlContext.Reloaded(model, _points.Schema) })
        {
            var scored = either.Transform(_points);
            Assert.That(ModelScores.ReadLines(scored), Is.EqualTo(expected), "the teacher's own columns");
            Assert.That(Agreement(scored, "PredictedLabelA"), Is.GreaterThan(140));
            Assert.That(Agreement(scored, "PredictedLabelB"), Is.GreaterThan(140));
            Assert.That(ModelScores.ReadScores(scored, "ScoreA"), Is.Not.EqualTo(ModelScores.ReadScores(scored, "ScoreB")));
        }
    }

    [Test]
    public void A_teachers_score_of_another_type_stays_as_it_is()
    {
        var rows = _mlContext.WithScalarScore(_points);
        var scored = _mlContext.Pipeline(ToyPipelines.Options() with { ScoreColumnName = "P" }).Fit(rows).Transform(rows);
        Assert.That(scored.GetColumn<float>("Score"), Is.EqualTo(rows.GetColumn<float>("Score")));
        Assert.That(ModelScores.ReadScores(scored, "P")[0], Has.Length.EqualTo(3));
    }

    [Test]
    public void The_fitted_student_scores_rows_without_a_label()
    {
        var student = ToyModels.Points.LastTransformer;
        var unlabelled = _mlContext.Transforms.DropColumns("Label").Fit(_points).Transform(_points);
        Assert.That(ModelScores.ReadScores(student.Transform(unlabelled)), Is.EqualTo(ModelScores.ReadScores(ToyModels.Points.Transform(_points))));
    }

    [Test]
    public void The_saved_student_scores_rows_without_a_label()
    {
        var model = ToyModels.Points;
        var loaded = _mlContext.Reloaded(model.LastTransformer, model.Transform(_points).Schema);
        var unlabelled = _mlContext.Transforms.DropColumns("Label").Fit(_points).Transform(_points);
        Assert.That(ModelScores.ReadLines(loaded.Transform(unlabelled)), Is.EqualTo(ModelScores.ReadLines(model.Transform(_points))));
    }

    [Test]
    public void The_trainer_says_that_it_wants_normalised_features()
    {
        var info = _mlContext.MulticlassClassification.Trainers.Distill(ToyPipelines.Options()).Info;
        Assert.That(info.NeedNormalization, Is.True);
    }

    private static DistillationOptions SideBySide(string suffix, Networks.NetworkSpec student, ITransformer teacher) => ToyPipelines.Options(student) with
    {
        Teacher = Teacher.FromTransformer(teacher),
        Method = DistillationMethod.Kd(),
        ScoreColumnName = "Score" + suffix,
        PredictedLabelColumnName = "PredictedLabel" + suffix,
    };

    private static int Agreement(IDataView scored, string predicted) =>
        ModelScores.ReadNames(scored, predicted).Zip(ModelScores.ReadNames(scored, "Label")).Count(p => p.First == p.Second);
}
