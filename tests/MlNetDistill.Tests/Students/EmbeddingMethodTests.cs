using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Losses;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Students;

/// <summary>Students of embeddings that follow a route, learn stage by stage, see augmented rows, and learn from transfer rows.</summary>
public sealed class EmbeddingMethodTests
{
    private readonly MLContext _context = new(seed: 1);

    [Test]
    public void Each_anchor_of_a_route_is_learnt_in_its_turn()
    {
        var rows = _context.View(ToyEmbeddings.Draw(600, 30));
        var (first, last) = (ToyEmbeddings.Options(FromProjection(rows, 1)) with { Epochs = 4 }, FromProjection(rows, 2));
        var alone = _context.Transforms.DistillEmbedding(first).Fit(rows);
        var model = _context.Transforms.DistillEmbedding(first with { Teacher = EmbeddingTeacher.FromRoute(("early", first.Teacher), ("late", last)), Method = EmbeddingMethod.Rco() }).Fit(rows);
        var history = model.Model.History;
        Assert.That(history.Select(epoch => epoch.Stage), Is.EqualTo(Enumerable.Repeat("embedding, early", 4).Concat(Enumerable.Repeat("embedding, late", 4))));
        Assert.That(history.Take(4).Select(epoch => epoch.Losses["mimic"]), Is.EqualTo(alone.Model.History.Select(epoch => epoch.Losses["mimic"])), "the first stage is that of its anchor alone");
        Assert.That(model.Model.Notes, Has.Some.Contains("training on anchor 1 of 2, early").And.Some.Contains("training on anchor 2 of 2, late"));
        var student = model.Embeddings(rows);
        var (toEarly, toLate) = (MeanDistance(student, Project(rows, 1)), MeanDistance(student, Project(rows, 2)));
        TestContext.Out.WriteLine($"distance to early {toEarly:0.000}, to late {toLate:0.000}");
        Assert.That(toLate, Is.LessThan(0.5 * toEarly).And.EqualTo(history[^1].Losses["mimic"]).Within(0.15));
        Assert.That(history[4].Losses["mimic"], Is.GreaterThan(2 * history[3].Losses["mimic"]), "another anchor");
        var features = _context.Transforms.SelectColumns("Features").Fit(rows).Transform(rows);
        Assert.That(
            ToyLoader.Score(_context, model, features, column: "Embedding"),
            Is.EqualTo(student.Select(v => string.Join(' ', v.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8"))))), "in a process that knows ML.NET alone");
    }

    [Test]
    public void A_route_may_be_followed_within_one_run_and_to_a_shorter_embedding()
    {
        var rows = _context.View(ToyEmbeddings.Draw(400, 20));
        var route = EmbeddingTeacher.FromRoute(("early", FromProjection(rows, 1)), ("middle", FromProjection(rows, 2)), ("late", FromProjection(rows, 3)));
        var options = ToyEmbeddings.Options(route) with { Epochs = 6, EmbeddingLength = 4, ValidationFraction = 0.2 };
        var model = _context.Transforms.DistillEmbedding(options with { Method = EmbeddingMethod.Rco(schedule: RcoSchedule.OneStage) }).Fit(rows);
        Assert.That(model.Model.Notes, Has.Some.EqualTo("From epoch 3 on the anchor is middle.").And.Some.EqualTo("From epoch 5 on the anchor is late."));
        Assert.That(model.Model.History.Select(epoch => epoch.Losses["mimic"]).ToArray() is [_, var before, var changed, ..] && changed > before, "the anchor changes after two epochs");
        var chosen = _context.Transforms.DistillEmbedding(options with { Method = EmbeddingMethod.Rco(anchors: AnchorSelection.Epochs(1)) }).Fit(rows);
        Assert.That(chosen.Model.History.Select(epoch => epoch.Stage).Distinct(), Is.EqualTo(new[] { "embedding, early", "embedding, late" }));
        Assert.That(chosen.Model.MapTeacher([.. Enumerable.Repeat(1f, ToyEmbeddings.TeacherLength)]), Has.Length.EqualTo(4), "into the space of the last anchor");
    }

    [Test]
    public void Checkpoints_of_a_classifier_are_a_route_of_their_embeddings()
    {
        using var folder = new ToyFolder();
        var rows = _context.View(ToyEmbeddings.Draw(400, 8));
        var network = NetworkSpec.Mlp(24, 12);
        var keyed = _context.Transforms.Conversion.MapValueToKey("Label", "Id").Fit(rows).Transform(rows);
        _context.MulticlassClassification.Trainers.Distill(new DistillationOptions
        {
            Teacher = MlNetDistill.Route.Train(network, every: 3, epochs: 6, folder: folder.Path),
            Student = NetworkSpec.Mlp(4),
            Method = DistillationMethod.Rco(),
            Epochs = 1,
            Seed = 1,
        }).Fit(keyed);
        string[] files = [.. folder.Entries.Where(name => name.EndsWith(".weights", StringComparison.Ordinal)).Select(folder.File)];
        var options = ToyEmbeddings.Options(EmbeddingTeacher.FromCheckpoints(network, files)) with { Student = NetworkSpec.Mlp(48), Epochs = 20, ValidationFraction = 0.2, Method = EmbeddingMethod.Rco() };
        var model = _context.Transforms.DistillEmbedding(options).Fit(rows);
        Assert.That(model.Model.Notes, Has.Some.Contains("anchor 1 of 2, epoch 3").And.Some.Contains("anchor 2 of 2, epoch 6"));
        Assert.That(model.Model.EmbeddingLength, Is.EqualTo(12));
        Assert.That(model.Model.History[^1].Validation, Has.Property("Measure").EqualTo("cosine").And.Property("Quality").GreaterThan(0.85));
        Assert.That(() => _context.Transforms.DistillEmbedding(options with { Teacher = EmbeddingTeacher.FromCheckpoints(network, [.. files.Reverse()]) }).Fit(rows),
            Throws.InvalidOperationException.With.Message.Contains("List the files in the order of training"));
        Assert.That(() => _context.Transforms.DistillEmbedding(options with { Teacher = EmbeddingTeacher.FromCheckpoints(NetworkSpec.Mlp(7), files) }).Fit(rows),
            Throws.InvalidOperationException.With.Message.Contains("Give the specification that the route was trained with"));
    }

    [Test]
    public void Stage_by_stage_the_features_of_a_teacher_are_reproduced_before_its_embedding()
    {
        var rows = _context.View(ToyEmbeddings.Draw(800, 40));
        var student = NetworkSpec.Mlp(24, 24);
        using var teacher = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = student, Epochs = 15 }).Fit(rows).Model.ToNetwork();
        var options = ToyEmbeddings.Options(EmbeddingTeacher.FromNetwork(teacher)) with { Student = student, Epochs = 30, Seed = 5 };
        var whole = _context.Transforms.DistillEmbedding(options).Fit(rows);
        var model = _context.Transforms.DistillEmbedding(options with { Method = EmbeddingMethod.Sskd() }).Fit(rows);
        var stages = model.Model.History.GroupBy(epoch => epoch.Stage).ToList();
        Assert.That(stages.Select(stage => (stage.Key, stage.Count())), Is.EqualTo(new[] { ("SSKD stage 1", 10), ("SSKD stage 2", 10), ("SSKD head", 10) }));
        foreach (var (stage, loss) in stages.Zip(new[] { "stageFeature", "stageFeature", "mimic" }))
            Assert.That(stage.Last().Losses[loss], Is.LessThan(0.6 * stage.First().Losses[loss]), stage.Key);
        var (errors, without) = (FeatureErrors(model, teacher, rows), FeatureErrors(whole, teacher, rows));
        TestContext.Out.WriteLine($"feature errors {string.Join(" ", errors)}; without {string.Join(" ", without)}");
        Assert.That(errors.Zip(without), Has.All.Matches<(double With, double Without)>(pair => pair.With < 0.3 * pair.Without));
        var features = _context.Transforms.SelectColumns("Features").Fit(rows).Transform(rows);
        Assert.That(
            ToyLoader.Score(_context, model, features, column: "Embedding"),
            Is.EqualTo(model.Embeddings(rows).Select(v => string.Join(' ', v.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8"))))), "in a process that knows ML.NET alone");
    }

    [Test]
    public void Stages_may_have_a_module_as_teacher_and_be_trained_for_each_anchor()
    {
        var rows = _context.View(ToyEmbeddings.Draw(200, 10));
        using var stage = nn.Sequential(nn.Linear(ToyEmbeddings.Features, 20), nn.ReLU());
        using var module = nn.Sequential(stage, nn.Linear(20, 9));
        var teacher = EmbeddingTeacher.FromModule(module, stageFeatures: [stage]);
        var options = ToyEmbeddings.Options(EmbeddingTeacher.FromRoute(("a", teacher), ("b", teacher))) with { Student = NetworkSpec.Mlp(16), Epochs = 2, Method = EmbeddingMethod.Rco(EmbeddingMethod.Sskd()) };
        var model = _context.Transforms.DistillEmbedding(options).Fit(rows);
        Assert.That(model.Model.History.Select(epoch => epoch.Stage), Is.EqualTo(new[] { "SSKD stage 1, a", "SSKD head, a", "SSKD stage 1, b", "SSKD head, b" }));
    }

    [Test]
    public void Student_and_teacher_see_the_same_augmented_rows()
    {
        var rows = _context.View(ToyEmbeddings.Draw(300, 10));
        using var module = nn.Linear(ToyEmbeddings.Features, 5);
        var options = ToyEmbeddings.Options(EmbeddingTeacher.FromModule(module)) with
        {
            // A linear student can be as its teacher everywhere, and learns that only from pairs of one row.
            Student = NetworkSpec.Mlp() with { InputScaling = InputScaling.None },
            Augmentations = [Augmentation.GaussianNoise(5)],
            Epochs = 60,
        };
        var model = _context.Transforms.DistillEmbedding(options).Fit(rows);
        Assert.That(model.Model.History[^1].Losses["mimic"], Is.LessThan(0.01), "noise that the teacher did not see could not be predicted");
        var far = _context.View([.. ToyEmbeddings.Draw(100, 10, seed: 9).Select(row => new Sighting { Features = [.. row.Features.Select((value, i) => 5 * value * (i % 2 == 0 ? 1 : -1))] })]);
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var expected = module.forward(tensor(far.GetColumn<float[]>("Features").SelectMany(f => f).ToArray()).reshape(-1, ToyEmbeddings.Features));
        Assert.That(MeanDistance(model.Embeddings(far), [.. expected.data<float>().ToArray().Chunk(5)]), Is.LessThan(0.02), "rows that only noise makes");
    }

    [Test]
    public void Transfer_rows_teach_what_few_rows_do_not()
    {
        var (few, many, test) = (_context.View(ToyEmbeddings.Draw(40, 8)), _context.View(ToyEmbeddings.Draw(1500, 100, first: 20, seed: 3)), _context.View(ToyEmbeddings.Draw(200, 20, first: 200, seed: 4)));
        var teacher = EmbeddingTeacher.FromTransformer(_context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { OutputColumnName = "Taught", Epochs = 12 }).Fit(many), "Taught");
        var options = ToyEmbeddings.Options(teacher) with { Epochs = null, Seed = 8 };
        var (without, own, made) = (Fit(options), Fit(options with { TransferRows = TransferRows.From(many) }), Fit(options with { TransferRows = TransferRows.Munge(copies: 20) }));
        var taught = ((ITransformer)_context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { OutputColumnName = "Taught", Epochs = 12 }).Fit(many)).Embeddings(test, "Taught");
        var distances = new[] { without, own, made }.Select(model => MeanDistance(model.Embeddings(test), taught)).ToList();
        TestContext.Out.WriteLine($"without {distances[0]:0.000}, own {distances[1]:0.000}, made up {distances[2]:0.000}");
        Assert.That(distances[1], Is.LessThan(0.5 * distances[0]));
        Assert.That(distances[2], Is.LessThan(0.8 * distances[0]));
        Assert.That(own.Model.Notes, Has.Some.StartsWith("The student was also trained on 1500 rows without labels, for which the teacher answers"));
        Assert.That(() => Fit(ToyEmbeddings.Options() with { TransferRows = TransferRows.Munge() }), Throws.InvalidOperationException.With.Message.Contains("were loaded with the data, so it cannot be asked for rows that are made up"));
        Assert.That(Fit(ToyEmbeddings.Options() with { TransferRows = TransferRows.From(many) }).Model.Notes, Has.Some.Contains("also trained on 1500 rows"), "they have the column");

        EmbeddingTransformer Fit(EmbeddingOptions given) => _context.Transforms.DistillEmbedding(given).Fit(few);
    }

    [Test]
    public void What_a_method_or_a_teacher_cannot_do_is_refused_before_fitting()
    {
        var rows = _context.View(ToyEmbeddings.Draw(40, 8));
        ExpectFault(ToyEmbeddings.Options() with { Method = EmbeddingMethod.Rco() }, "The method RCO×embedding follows a route of teachers, and the teacher (column 'TeacherEmbedding') is none.");
        ExpectFault(ToyEmbeddings.Options() with { Method = EmbeddingMethod.Sskd() }, "learns the teacher's stage features, and the teacher (column 'TeacherEmbedding') gives none");
        ExpectFault(ToyEmbeddings.Options() with { Method = EmbeddingMethod.Rco(EmbeddingMethod.Rco()) }, "The method inside RCO must not be RCO itself.");
        ExpectFault(ToyEmbeddings.Options() with { Method = EmbeddingMethod.Rco(anchors: AnchorSelection.Greedy(1.5)), ValidationFraction = 0.2 }, "Greedy selection of anchors compares class probabilities, which embeddings do not have");
        ExpectFault(ToyEmbeddings.Options() with { Augmentations = [Augmentation.GaussianNoise(1)] }, "the teacher (column 'TeacherEmbedding') has embeddings of the unchanged rows alone");
        ExpectFault(ToyEmbeddings.Options() with { LabelColumnName = "Key", Augmentations = [Augmentation.Mixup()] }, "Mixup and CutMix mix rows of several labels");
        ExpectFault(ToyEmbeddings.Options() with { Loss = new RkdLoss(), TransferRows = TransferRows.From(rows) with { Weight = 0.5 } }, "leave TransferRows.Weight 1");
        ExpectFault(ToyEmbeddings.Options() with { Teacher = EmbeddingTeacher.FromRoute() }, "A route needs at least one anchor.");

        void ExpectFault(EmbeddingOptions options, string message) =>
            Assert.That(() => _context.Transforms.DistillEmbedding(options), Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains(message));
    }

    /// <summary>A teacher of its own for each seed: a random linear map of the other teacher's embeddings.</summary>
    private EmbeddingTeacher FromProjection(IDataView rows, int seed)
    {
        var projected = Project(rows, seed);
        var mapping = _context.Transforms.CustomMapping<Sighting, Projected>((row, to) => to.Taught = Multiply(row.TeacherEmbedding, seed), contractName: null);
        Assert.That(projected[0], Has.Length.EqualTo(ToyEmbeddings.TeacherLength));
        return EmbeddingTeacher.FromTransformer(mapping.Fit(rows), "Taught");
    }

    private static float[][] Project(IDataView rows, int seed) => [.. rows.GetColumn<float[]>("TeacherEmbedding").Select(vector => Multiply(vector, seed))];

    private static float[] Multiply(float[] vector, int seed)
    {
        var random = new Random(seed);
        var matrix = Enumerable.Range(0, vector.Length * vector.Length).Select(_ => random.NextDouble() - 0.5).ToArray();
        return [.. Enumerable.Range(0, vector.Length).Select(i => (float)vector.Select((value, j) => matrix[(i * vector.Length) + j] * value).Sum())];
    }

    /// <summary>The mean squared distance at length 1.</summary>
    private static double MeanDistance(float[][] a, float[][] b) => a.Zip(b, (x, y) => 2 - (2 * x.Zip(y, (p, q) => (double)p * q).Sum() / (Length(x) * Length(y)))).Average();

    private static double Length(float[] vector) => Math.Sqrt(vector.Sum(value => (double)value * value));

    private static List<double> FeatureErrors(EmbeddingTransformer model, Network teacher, IDataView rows)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var student = model.Model.ToNetwork();
        var input = tensor(rows.GetColumn<float[]>("Features").SelectMany(f => f).ToArray()).reshape(-1, ToyEmbeddings.Features);
        var (mine, theirs) = (student.Forward(input, ModelOutputs.StageFeatures).StageFeatures, teacher.Forward(input, ModelOutputs.StageFeatures).StageFeatures);
        return [.. mine.Zip(theirs, (a, b) => (a - b).square().mean().ToDouble())];
    }

    private sealed class Projected
    {
        [VectorType(ToyEmbeddings.TeacherLength)]
        public float[] Taught { get; set; } = [];
    }
}
