using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Evaluation;
using MlNetDistill.Losses;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp;

namespace MlNetDistill.Tests.Students;

/// <summary>Students that give embeddings: their job, their teachers, their losses and their ML.NET form.</summary>
public sealed class EmbeddingStudentTests
{
    private readonly MLContext _context = new(seed: 1);

    [Test]
    public void Identities_that_it_never_saw_are_found_again_without_a_label()
    {
        var (train, test) = (_context.View(ToyEmbeddings.Draw(3000, 60)), _context.View(ToyEmbeddings.Draw(400, 20, first: 60, seed: 2)));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = NetworkSpec.Mlp(96, 96), Epochs = 15, BatchSize = 64, ValidationFraction = 0.1 }).Fit(train);
        var options = new RetrievalOptions { TeacherColumnName = "TeacherEmbedding", Neighbours = 10 };
        var metrics = _context.Ranking.EvaluateRetrieval(model.Transform(test), idColumnName: "Id", options: options);
        var features = _context.Ranking.EvaluateRetrieval(test, "Features", "Id");
        TestContext.Out.WriteLine(metrics);
        TestContext.Out.WriteLine($"features alone: {features.Student}; held-out {model.Model.History[^1].Validation}");
        Assert.Multiple(() =>
        {
            Assert.That(metrics.Teacher!.RankOne, Is.GreaterThan(0.8));
            Assert.That(metrics.Student.RankOne, Is.GreaterThan(0.9 * metrics.Teacher!.RankOne).And.GreaterThan(features.Student.RankOne + 0.2), "chance is 0.05");
            Assert.That(metrics.NeighbourAgreement, Is.GreaterThan(0.5));
            Assert.That(model.Model.History[^1].Validation, Has.Property("Measure").EqualTo("cosine").And.Property("Quality").GreaterThan(0.9));
        });
    }

    [Test]
    public void A_saved_student_gives_the_same_in_a_process_that_knows_ML_NET_alone()
    {
        var rows = _context.View(ToyEmbeddings.Draw(200, 20));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options()).Fit(rows);
        var here = model.Embeddings(rows);
        string[] lines = [.. here.Select(vector => string.Join(' ', vector.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8"))))];
        Assert.That(lines.Distinct().Count(), Is.EqualTo(200));
        var features = _context.Transforms.SelectColumns("Features").Fit(rows).Transform(rows);
        Assert.That(ToyLoader.Score(_context, model, features, column: "Embedding"), Is.EqualTo(lines), "from the features alone");
        Assert.That(ToyLoader.Score(_context, model, features, model.SaveAtomically, column: "Embedding"), Is.EqualTo(lines));
        Assert.That(here, Has.All.Matches<float[]>(vector => Math.Abs(vector!.Sum(v => (double)v * v) - 1) < 1e-5), "of length 1");
        ExpectNetwork(model, rows, here);
    }

    [Test]
    public void A_convolutional_student_of_pictures_gives_the_same_in_a_process_that_knows_ML_NET_alone()
    {
        var pictures = _context.View(ToyData.Images());
        var teacher = _context.Transforms.Conversion.ConvertType("Floats", "Pixels", DataKind.Single).Append(_context.Transforms.ProjectToPrincipalComponents("Taught", "Floats", rank: 6)).Fit(pictures);
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromTransformer(teacher, "Taught")) with
        {
            Student = ToyPipelines.SmallResNet,
            FeatureColumnName = "Pixels",
            OutputColumnName = "Code",
            Epochs = 1,
        }).Fit(pictures);
        var here = model.Embeddings(pictures, "Code");
        Assert.That(ToyLoader.Score(_context, model, pictures, column: "Code"), Is.EqualTo(here.Select(v => string.Join(' ', v.Select(value => BitConverter.SingleToUInt32Bits(value).ToString("x8"))))));
        Assert.That(((VectorDataViewType)model.GetOutputSchema(pictures.Schema)["Code"].Type).Size, Is.EqualTo(6));
    }

    [Test]
    public void Every_kind_of_teacher_teaches_the_same()
    {
        var rows = _context.View(ToyEmbeddings.Draw(160, 16));
        var teacher = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { OutputColumnName = "Taught" }).Fit(rows);
        using var network = teacher.Model.ToNetwork();
        using var folder = new ToyFolder();
        using (var file = File.Create(folder.File("teacher.onnx")))
            teacher.SaveOnnx(file);
        using var module = torch.nn.Sequential(torch.nn.Identity());
        var expected = Fit(EmbeddingTeacher.FromTransformer(teacher, "Taught"), rows);
        foreach (var (name, other) in new (string, EmbeddingTeacher)[]
        {
            ("column", EmbeddingTeacher.FromColumn("Taught")),
            ("ONNX", EmbeddingTeacher.FromOnnx(folder.File("teacher.onnx"))),
            ("network", EmbeddingTeacher.FromNetwork(network)),
            ("module of a column of its own", EmbeddingTeacher.FromModule(module, new MlNetDistill.Teachers.TeacherInput { ColumnName = "Taught" })),
        })
        {
            var found = Fit(other, teacher.Transform(rows));
            Assert.That(found.Zip(expected, (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max(), Is.LessThan(1e-3), name);
        }

        float[][] Fit(EmbeddingTeacher by, IDataView view) => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(by) with { Epochs = 1 }).Fit(view).Embeddings(rows);
    }

    [Test]
    public void A_classifier_of_pictures_in_bytes_teaches_the_embedding_before_its_last_layer()
    {
        var pictures = _context.View(ToyData.Images());
        var classifier = _context.Pipeline(ToyPipelines.Options(ToyPipelines.SmallResNet) with { FeatureColumnName = "Pixels" }).Fit(pictures).LastTransformer;
        using var network = classifier.Model.ToNetwork();
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromNetwork(network)) with { FeatureColumnName = "Pixels", Epochs = 10 }).Fit(pictures);
        Assert.That(model.Model.EmbeddingLength, Is.EqualTo(network.EmbeddingLength));
        using var folder = new ToyFolder();
        using (var file = File.Create(folder.File("embedding.onnx")))
            classifier.SaveEmbeddingOnnx(file);
        var exported = _context.Transforms.ApplyOnnxModel(["Embedding"], ["Pixels"], folder.File("embedding.onnx")).Fit(pictures).Transform(pictures).GetColumn<float[]>("Embedding").ToArray();
        using var scope = torch.NewDisposeScope();
        using var noGrad = torch.no_grad();
        var pixels = pictures.GetColumn<byte[]>("Pixels").ToArray();
        var taught = network.Forward(torch.tensor(pixels.SelectMany(p => p).ToArray()).reshape([pixels.Length, .. network.Input.Shape.Dimensions]), ModelOutputs.Embedding).Embedding;
        Assert.That(exported.SelectMany(v => v), Is.EqualTo(torch.nn.functional.normalize(taught).data<float>().ToArray()).Within(1e-4), "the same as an ONNX model");
        var mapped = taught.data<float>().ToArray().Chunk(network.EmbeddingLength).Select(vector => model.Model.MapTeacher(vector));
        Assert.That(model.Embeddings(pictures).Zip(mapped, (a, b) => a.Zip(b, (x, y) => x * y).Sum()).Average(), Is.GreaterThan(0.8));
    }

    [Test]
    public void A_shorter_student_learns_the_principal_components_of_its_teacher()
    {
        var rows = _context.View(ToyEmbeddings.Draw(1500, 50));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = NetworkSpec.Mlp(64, 64), EmbeddingLength = 5, Epochs = 12, ValidationColumnName = "Held" }).Fit(rows);
        Assert.That(model.Model.EmbeddingLength, Is.EqualTo(5));
        Assert.That(model.Model.Notes.Single(), Does.StartWith("The teacher's embeddings are projected from 12 to 5 values, which keeps "));
        Assert.That(model.Model.History[^1].Validation!.Measure, Is.EqualTo("cosine"));
        var taught = rows.GetColumn<float[]>("TeacherEmbedding").Select(vector => model.Model.MapTeacher(vector)).ToArray();
        var cosine = model.Embeddings(rows).Zip(taught, (a, b) => a.Zip(b, (x, y) => (double)x * y).Sum()).Average();
        Assert.That(cosine, Is.GreaterThan(0.85).And.EqualTo(model.Model.History[^1].Validation!.Quality).Within(0.05));
        Assert.That(() => model.Model.MapTeacher(new float[5]), Throws.ArgumentException.With.Message.StartsWith("The teacher's embeddings have 12 values; found 5."));
        foreach (var value in new[] { 0, float.NaN, float.PositiveInfinity })
            Assert.That(() => model.Model.MapTeacher([.. Enumerable.Repeat(value, 12)]), Throws.ArgumentException.With.Message.StartsWith("The embedding has no direction"));
    }

    [TestCase(20, WidthMatching.Auto)]
    [TestCase(5, WidthMatching.LearntProjection)]
    public void A_student_of_another_length_may_learn_a_projection(int length, WidthMatching matching)
    {
        var rows = _context.View(ToyEmbeddings.Draw(1000, 50));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { EmbeddingLength = length, Matching = matching, Epochs = 8, ValidationFraction = 0.2 }).Fit(rows);
        Assert.That(model.Model.Notes.Single(), Does.Contain($"from the student's {length} values to the teacher's 12 is trained"));
        Assert.That(model.Model.History[^1].Losses["mimic"], Is.LessThan(0.5 * model.Model.History[0].Losses["mimic"]));
        Assert.That(model.Model.History[^1].Validation!.Measure, Is.EqualTo("similarity"));
        Assert.That(() => model.Model.MapTeacher(new float[12]), Throws.InvalidOperationException);
        Assert.That(model.Embeddings(rows)[0], Has.Length.EqualTo(length));
    }

    private static IEnumerable<TestCaseData> OtherLosses() => new (DistillationLoss Loss, string Measure)[]
    {
        (new CosineLoss(), "cosine"), (10 * new CorrelationCongruenceLoss(), "similarity"), (new RkdLoss(), "similarity"), (new MimicLoss() + (5 * new CorrelationCongruenceLoss(CorrelationKernel.Bilinear)), "cosine"),
    }.Select(given => new TestCaseData(given.Loss, given.Measure).SetArgDisplayNames(string.Join(" + ", given.Loss.Terms.Select(term => term.Loss.Name))));

    [TestCaseSource(nameof(OtherLosses))]
    public void Other_losses_bring_the_student_near_its_teacher(DistillationLoss loss, string measure)
    {
        var rows = _context.View(ToyEmbeddings.Draw(1200, 50));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = NetworkSpec.Mlp(64, 64), Loss = loss, Epochs = 12, ValidationFraction = 0.2 }).Fit(rows);
        var validation = model.Model.History[^1].Validation!;
        TestContext.Out.WriteLine($"{loss}: {validation}");
        Assert.That(validation.Measure, Is.EqualTo(measure));
        Assert.That(validation.Quality, Is.GreaterThan(0.75));
    }

    [Test]
    public void A_head_over_labels_is_trained_beside_it_and_thrown_away()
    {
        var drawn = ToyEmbeddings.Draw(600, 12);
        drawn[0].Id = "";
        var keyed = _context.Transforms.Conversion.MapValueToKey("Key", "Id").Fit(_context.View(drawn)).Transform(_context.View(drawn));
        foreach (var head in new[] { MarginHead.ArcFace(), MarginHead.CosFace(0.02, scale: 32) })
        {
            var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Head = head, LabelColumnName = "Key", Epochs = 6 }).Fit(keyed);
            var (first, last) = (model.Model.History[0].Losses, model.Model.History[^1].Losses);
            var name = head.Kind == "ArcFace" ? "arcFace" : "cosFace";
            Assert.That(last[name], Is.LessThan(0.8 * first[name]));
            Assert.That(last["mimic"], Is.LessThan(0.8 * first["mimic"]));
            Assert.That(model.Model.ParameterCount, Is.EqualTo((24 * 32) + 32 + (32 * 12) + 12), "without the directions of the classes");
        }
    }

    [Test]
    public void Batches_by_class_and_by_clusters_and_example_weights_work()
    {
        var keyed = _context.Transforms.Conversion.MapValueToKey("Key", "Id").Fit(_context.View(ToyEmbeddings.Draw(320, 16))).Transform(_context.View(ToyEmbeddings.Draw(320, 16)));
        foreach (var options in new[]
        {
            ToyEmbeddings.Options() with { LabelColumnName = "Key", Sampling = BatchSampling.ClassUniform(8), Loss = new CorrelationCongruenceLoss() },
            ToyEmbeddings.Options() with { Sampling = BatchSampling.SuperclassUniform(10, 8), Loss = new MimicLoss() + new CorrelationCongruenceLoss() },
            ToyEmbeddings.Options() with { ExampleWeightColumnName = "Weight" },
        })
        {
            var model = _context.Transforms.DistillEmbedding(options).Fit(keyed);
            Assert.That(model.Model.History, Has.Count.EqualTo(3));
        }
    }

    [Test]
    public void The_same_seed_gives_the_same_student_and_another_one_another()
    {
        var rows = _context.View(ToyEmbeddings.Draw(100, 10));
        float[][] Fit(int seed) => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Seed = seed, Epochs = 1 }).Fit(rows).Embeddings(rows);
        Assert.That(Fit(3), Is.EqualTo(Fit(3)));
        Assert.That(Fit(4), Is.Not.EqualTo(Fit(3)));
    }

    [Test]
    public void Few_rows_train_for_500_steps_unless_the_epochs_are_set()
    {
        var rows = _context.View(ToyEmbeddings.Draw(64, 10));
        var model = _context.Transforms.DistillEmbedding(EmbeddingTeacher.FromColumn("TeacherEmbedding"), NetworkSpec.Mlp(8), batchSize: 32).Fit(rows);
        Assert.That(model.Model.History, Has.Count.EqualTo(250));
        Assert.That($"{model}", Is.EqualTo("MLP 8 from 'Features' to 'Embedding'"));
        Assert.That($"{model.Model}", Does.StartWith("MLP 8: 308 parameters, an embedding of 12; input: "));
    }

    [Test]
    public void Faults_of_the_settings_are_named_all_at_once()
    {
        var options = ToyEmbeddings.Options() with
        {
            EmbeddingLength = 0,
            Epochs = 0,
            Loss = new KdLoss(4),
            Head = MarginHead.ArcFace(margin: 2),
            OutputColumnName = "Features",
            ValidationFraction = 0.2,
            ValidationColumnName = "Held",
        };
        Assert.That(() => _context.Transforms.DistillEmbedding(options), Throws.TypeOf<ArgumentOutOfRangeException>()
            .With.Message.Contains("EmbeddingLength must be at least 1; was 0.")
            .And.Message.Contains("Epochs must be at least 1; was 0.")
            .And.Message.Contains("reads other outputs than embeddings")
            .And.Message.Contains("The margin of the Head must be at least 0 and below 1.57; was 2.")
            .And.Message.Contains("Head is a classifier over labels, and LabelColumnName is null")
            .And.Message.Contains("FeatureColumnName and OutputColumnName must differ")
            .And.Message.Contains("ValidationFraction and ValidationColumnName exclude each other"));
        Assert.That(() => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Loss = new RkdLoss(), ExampleWeightColumnName = "Weight" }),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.Contains("compares pairs of rows, to which example weights cannot be applied"));
        Assert.That(() => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { EmbeddingLength = 20, Matching = WidthMatching.Pca }).Fit(_context.View(ToyEmbeddings.Draw(20, 4))),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("WidthMatching.Pca shortens the teacher's embeddings (column 'TeacherEmbedding'), which have 12 values, and EmbeddingLength is 20."));
    }

    [Test]
    public void Unusable_rows_of_the_teacher_are_named_or_left_out()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[7].TeacherEmbedding = new float[12];
        Assert.That(() => Fit(rows), Throws.InvalidOperationException.With.Message.Contains("gives an embedding of zeros, which has no direction, for 1 of 60 rows, the first is the row with id 7. Correct the rows, leave them out, or set MissingFeatures to Drop"));
        rows[7].TeacherEmbedding[2] = float.NaN;
        Assert.That(() => Fit(rows), Throws.InvalidOperationException.With.Message.Contains("gives NaN or infinity for 1 of 60 rows, the first is the row with id 7"));
        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { MissingFeatures = MissingFeatures.Drop }).Fit(_context.View(rows));
        Assert.That(model.Model.Warnings, Has.Some.Contains("1 rows (row 7) have no whole values in 'TeacherEmbedding'").Or.Some.Contains("have no whole values in 'TeacherEmbedding'"));
        Assert.That(() => _context.Transforms.DistillEmbedding(EmbeddingTeacher.FromColumn("Nothing"), NetworkSpec.Mlp(8)).Fit(_context.View(rows)),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("The teacher's embedding column 'Nothing' is not in the data."));
        Assert.That(() => _context.Transforms.DistillEmbedding(EmbeddingTeacher.FromColumn("Id"), NetworkSpec.Mlp(8)).Fit(_context.View(rows)),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Column 'Id' must be Vector<Single, D>"));

        void Fit(Sighting[] given) => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options()).Fit(_context.View(given));
    }

    [Test]
    public void Rows_whose_embedding_is_not_finite_are_left_out_whatever_gives_it()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[5].TeacherEmbedding[3] = float.PositiveInfinity;
        rows[11].TeacherEmbedding[0] = float.NaN;
        var (view, clean) = (_context.View(rows), _context.View([.. rows.Where((_, i) => i is not 5 and not 11)]));
        var given = _context.Transforms.CopyColumns("Copy", "TeacherEmbedding").Fit(view);
        var options = ToyEmbeddings.Options() with { MissingFeatures = MissingFeatures.Drop, Student = NetworkSpec.Mlp(16) with { InputScaling = InputScaling.None } };
        var expected = _context.Transforms.DistillEmbedding(options).Fit(clean).Embeddings(clean);
        foreach (var teacher in new[] { options.Teacher, EmbeddingTeacher.FromTransformer(given, "Copy") })
        {
            var model = _context.Transforms.DistillEmbedding(options with { Teacher = teacher }).Fit(view);
            Assert.That(model.Embeddings(clean).SelectMany(v => v), Is.EqualTo(expected.SelectMany(v => v)).Within(1e-5), teacher.ToString());
            Assert.That(model.Model.Warnings, Has.Some.Contains("have no whole values in 'TeacherEmbedding'").Or.Some.Contains("gives NaN or infinity for 2 of 60 rows, the first is the row with id 5. Such rows are left out."));
        }

        Assert.That(() => _context.Transforms.DistillEmbedding(options with { MissingFeatures = MissingFeatures.Error, Teacher = EmbeddingTeacher.FromTransformer(given, "Copy") }).Fit(view),
            Throws.InvalidOperationException.With.Message.Contains("for 2 of 60 rows, the first is the row with id 5. Correct the rows"));
        Assert.That(() => _context.Transforms.DistillEmbedding(options with { Teacher = EmbeddingTeacher.FromTransformer(given, "Copy"), ValidationColumnName = "Held" })
            .Fit(_context.View([.. rows.Select((row, i) => new Sighting { Features = row.Features, TeacherEmbedding = row.TeacherEmbedding, Held = i == 5 })])),
            Throws.InvalidOperationException.With.Message.Contains("no row that counts is left to validate on"));
    }

    [Test]
    public void A_faulty_row_is_named_by_its_id_although_rows_before_it_are_left_out()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[2].Features[0] = float.NaN;
        rows[7].TeacherEmbedding = [.. Enumerable.Repeat(1e20f, 12)];
        Assert.That(() => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { MissingFeatures = MissingFeatures.Drop }).Fit(_context.View(rows)),
            Throws.InvalidOperationException.With.Message.Contains("for the row with id 7 a value is 1E+20."));
    }

    [Test]
    public void An_embedding_of_which_the_projection_leaves_nothing_is_refused()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        foreach (var row in rows)
            row.TeacherEmbedding[11] = 0;
        rows[9].TeacherEmbedding = [.. Enumerable.Repeat(0f, 11), 1];
        Assert.That(() => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { EmbeddingLength = 4 }).Fit(_context.View(rows)),
            Throws.InvalidOperationException.With.Message.StartsWith(
                "The projection of the teacher's embeddings (column 'TeacherEmbedding') leaves nothing of 1 of them, because they are at right angles to all directions that it keeps; the first is that of the row with id 9."));
    }

    [Test]
    public void It_is_a_step_of_a_pipeline_and_a_wrong_column_is_refused_before_fitting()
    {
        var rows = _context.View(ToyEmbeddings.Draw(80, 8));
        var pipeline = _context.Transforms.NormalizeMeanVariance("Scaled", "Features").Append(_context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { FeatureColumnName = "Scaled", Epochs = 1 }));
        var model = pipeline.Fit(rows);
        Assert.That(_context.Reloaded(model, rows.Schema).Embeddings(rows), Is.EqualTo(model.Embeddings(rows)));
        Assert.That(() => _context.Transforms.CopyColumns("Other", "Id").Append(_context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { FeatureColumnName = "Other" })).Fit(rows),
            Throws.TypeOf<ArgumentOutOfRangeException>().With.Message.StartsWith("Column 'Other' must be Vector<Single, n>"));
    }

    private static void ExpectNetwork(EmbeddingTransformer model, IDataView rows, float[][] here)
    {
        using var scope = torch.NewDisposeScope();
        using var network = model.Model.ToNetwork();
        var input = torch.tensor(rows.GetColumn<float[]>("Features").SelectMany(f => f).ToArray()).reshape(-1, ToyEmbeddings.Features);
        using var noGrad = torch.no_grad();
        var expected = torch.nn.functional.normalize(network.Forward(input, ModelOutputs.Embedding).Embedding);
        Assert.That(here.SelectMany(v => v), Is.EqualTo(expected.data<float>().ToArray()).Within(1e-5));
    }
}
