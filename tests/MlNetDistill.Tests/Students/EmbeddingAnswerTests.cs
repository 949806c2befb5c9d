using Microsoft.ML;
using Microsoft.ML.Data;
using MlNetDistill.Data;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using static TorchSharp.torch;

namespace MlNetDistill.Tests.Students;

/// <summary>What a fit makes of answers of a teacher of embeddings that have no direction, are out of scale, or say nothing.</summary>
public sealed class EmbeddingAnswerTests
{
    private const float Marked = 2;
    private readonly MLContext _context = new(seed: 1);

    [Test]
    public void Rows_whose_embedding_has_no_direction_can_be_left_out()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[7].TeacherEmbedding = new float[ToyEmbeddings.TeacherLength];
        rows[9].TeacherEmbedding = [.. rows[9].TeacherEmbedding.Select(value => value * 1e-9f)];
        var options = ToyEmbeddings.Options() with { Student = NetworkSpec.Mlp(16) with { InputScaling = InputScaling.None } };
        var model = _context.Transforms.DistillEmbedding(options with { MissingFeatures = MissingFeatures.Drop }).Fit(_context.View(rows));
        Assert.That(model.Model.Warnings, Has.Some.Contains("gives an embedding of zeros, which has no direction, for 1 of 60 rows, the first is the row with id 7. Such rows are left out.")
            .And.Some.Contains("gives an embedding shorter than 1E-06, which has no direction in 32-bit floats, for 1 of 59 rows, the first is the row with id 9. Such rows are left out."));
        var clean = _context.View([.. rows.Where((_, i) => i is not 7 and not 9)]);
        Assert.That(model.Embeddings(clean).SelectMany(v => v), Is.EqualTo(_context.Transforms.DistillEmbedding(options).Fit(clean).Embeddings(clean).SelectMany(v => v)).Within(1e-5));
    }

    [TestCase(1e-9f, "gives an embedding shorter than 1E-06, which has no direction in 32-bit floats, for 60 of 60 rows, the first is the row with id 0. Multiply all embeddings of the teacher by one number")]
    [TestCase(1e20f, "gives embeddings that are too long for 32-bit floats, in which their squares overflow: for the row with id 0 a value is ")]
    public void Embeddings_out_of_scale_are_named_and_what_to_do(float scale, string message)
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        foreach (var row in rows)
            row.TeacherEmbedding = [.. row.TeacherEmbedding.Select(value => value * scale)];
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options()).Fit(_context.View(rows)), Throws.InvalidOperationException.With.Message.Contains(message));
    }

    [Test]
    public void Too_short_a_training_and_data_that_say_nothing_are_warned_of()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        var usual = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Epochs = 40 }).Fit(_context.View(rows)).Model.Warnings;
        Assert.That(usual, Is.Empty);
        foreach (var row in rows)
        {
            (row.TeacherEmbedding, row.Features[3]) = ([.. Enumerable.Range(0, ToyEmbeddings.TeacherLength).Select(i => i + (1e-4f * row.TeacherEmbedding[i]))], 5);
            row.Weight = row.Id == "0" ? 1 : 0;
        }

        var model = _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Epochs = 1, ExampleWeightColumnName = "Weight" }).Fit(_context.View(rows));
        Assert.That(model.Model.Warnings, Has.Some.StartsWith("The training has 2 steps (1 epoch, BatchSize 32) at a learning rate of at most 0.01: too few for a network with random weights.")
            .And.Some.StartsWith("The teacher (column 'TeacherEmbedding') gives all 60 rows trained on nearly the same embedding (mean cosine 1.000000), so there is nothing to tell rows apart by.")
            .And.Some.StartsWith("1 of 24 features in column 'Features' have one value in all rows trained on (from 0: 3; the first is 5)")
            .And.Some.StartsWith("50 of 60 training rows have weight 0 in column 'Weight'"));
    }

    [Test]
    public void A_transfer_row_is_named_by_its_number()
    {
        var (rows, more) = (_context.View(ToyEmbeddings.Draw(60, 6)), ToyEmbeddings.Draw(20, 6, seed: 2));
        more[3].TeacherEmbedding = new float[ToyEmbeddings.TeacherLength];
        var options = ToyEmbeddings.Options() with { TransferRows = TransferRows.From(_context.View(more)) };
        Assert.That(() => _context.Transforms.DistillEmbedding(options).Fit(rows), Throws.InvalidOperationException.With.Message.Contains("for 1 of 80 rows, the first is the transfer row 3 (counted from 0). Correct the rows"));
        Assert.That(
            _context.Transforms.DistillEmbedding(options with { MissingFeatures = MissingFeatures.Drop }).Fit(rows).Model.Warnings, Has.Some.Contains("the transfer row 3 (counted from 0). Such rows are left out."));
    }

    [Test]
    public void A_row_that_an_earlier_anchor_left_out_is_not_asked_of_a_later_one()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[5].Weight = Marked;
        var view = _context.View(rows);
        var route = EmbeddingTeacher.FromRoute(("early", Mapping(view, row => row.Weight == Marked ? float.NaN : 1)), ("late", Mapping(view, row => row.Weight == Marked ? 0 : 2)));
        var options = ToyEmbeddings.Options(route) with { Method = EmbeddingMethod.Rco(), MissingFeatures = MissingFeatures.Drop };
        Assert.That(
            _context.Transforms.DistillEmbedding(options).Fit(view).Model.Warnings.Where(warning => warning.Contains("left out")),
            Is.EqualTo(new[] { "The teacher (a route of 2 teachers, early) gives NaN or infinity for 1 of 60 rows, the first is the row with id 5. Such rows are left out." }));
    }

    [Test]
    public void Anchors_that_no_stage_uses_are_not_queried()
    {
        var (view, asked) = (_context.View(ToyEmbeddings.Draw(60, 6)), 0);
        var early = Mapping(view, _ =>
        {
            Interlocked.Increment(ref asked);
            return 1;
        });
        var options = ToyEmbeddings.Options(EmbeddingTeacher.FromRoute(("early", early), ("middle", Mapping(view, _ => 1)), ("late", Mapping(view, _ => 2)))) with { Epochs = 1 };
        foreach (var method in new[] { EmbeddingMethod.OneStage(), EmbeddingMethod.Rco(anchors: AnchorSelection.Epochs(2)), EmbeddingMethod.Rco(anchors: AnchorSelection.EqualInterval(2), schedule: RcoSchedule.OneStage) })
            _context.Transforms.DistillEmbedding(options with { Method = method, Epochs = 2 }).Fit(view);
        Assert.That(asked, Is.Zero);
        _context.Transforms.DistillEmbedding(options with { Method = EmbeddingMethod.Rco() }).Fit(view);
        Assert.That(asked, Is.GreaterThanOrEqualTo(60));
    }

    [Test]
    public void Answers_to_augmented_rows_are_checked_too()
    {
        var rows = _context.View(ToyEmbeddings.Draw(100, 10));
        using var logarithm = new OfRows(values => values.narrow(1, 0, 5).mul(-1).add(4).log());
        Assert.That(() => Fit(logarithm, 0.01), Throws.Nothing, "the rows as they are, and little noise");
        Assert.That(() => Fit(logarithm, 50), Throws.InvalidOperationException.With.Message.EqualTo(
            "The teacher (OfRows) gives embeddings that are NaN or infinite for augmented rows, in stage 'embedding'. Check its weights and the scale of its input, also after the Augmentations."));
        using var cut = new OfRows(values => values.narrow(1, 0, 5).mul(values.abs().amax([1], true).lt(3)));
        Assert.That(
            Fit(cut, 50).Warnings, Has.One.EqualTo("The teacher (OfRows) gives embeddings of zeros, which have no direction, for some augmented rows: these teach nothing. Check its input after the Augmentations."));

        DistilledEmbedding Fit(OfRows module, double noise) => _context.Transforms.DistillEmbedding(
            ToyEmbeddings.Options(EmbeddingTeacher.FromModule(module)) with { Augmentations = [Augmentation.GaussianNoise(noise)], Epochs = 2 }).Fit(rows).Model;
    }

    [Test]
    public void What_no_embedding_teacher_has_is_not_spoken_of()
    {
        var rows = ToyEmbeddings.Draw(60, 6);
        rows[4].Id = "";
        var keyed = _context.Transforms.Conversion.MapValueToKey("Key", "Id").Fit(_context.View(rows)).Transform(_context.View(rows));
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { LabelColumnName = "Key", Sampling = BatchSampling.ClassUniform(8) }).Fit(keyed),
            Throws.InvalidOperationException.With.Message.EndsWith("or leave these rows out: of a classifier, MissingLabels.Drop does."));
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { TransferRows = TransferRows.Munge() }).Fit(keyed),
            Throws.InvalidOperationException.With.Message.Contains("the teacher's embeddings in column 'TeacherEmbedding' were loaded with the data").And.Message.Contains("(EmbeddingTeacher.FromTransformer, FromOnnx)"));
        using var unused = nn.Linear(3, 3);
        using var module = nn.Linear(ToyEmbeddings.Features, 5);
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromModule(module, stageFeatures: [unused])) with { Method = EmbeddingMethod.Sskd() }).Fit(keyed),
            Throws.InvalidOperationException.With.Message.Contains("the part Linear in stageFeatures ran 0 times"));
        using var maps = new OfRows(values => values.reshape(-1, 2, 3, 4));
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromModule(maps))).Fit(keyed),
            Throws.InvalidOperationException.With.Message.Contains("gives as embeddings float32 [1, 2, 3, 4] for 1 row; it must be N×D (or N×D×1×1)."));
        var route = EmbeddingTeacher.FromRoute(("short", EmbeddingTeacher.FromModule(module)), ("long", EmbeddingTeacher.FromColumn("TeacherEmbedding")));
        Assert.That(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(route) with { Method = EmbeddingMethod.Rco(), Matching = WidthMatching.Pca }).Fit(keyed),
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith("WidthMatching.Pca shortens the teacher's embeddings (a route of 2 teachers, short), which have 5 values, and the length of the last anchor's is 12."));
    }

    [Test]
    public void Two_anchors_of_one_name_are_refused() => Assert.That(
        () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options(EmbeddingTeacher.FromRoute(("a", EmbeddingTeacher.FromColumn("A")), ("a", EmbeddingTeacher.FromColumn("B"))))),
        Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Every anchor of a route needs a name of its own; 2 have the name 'a'."));

    private EmbeddingTeacher Mapping(IDataView rows, Func<Sighting, float> scale) => EmbeddingTeacher.FromTransformer(
        _context.Transforms.CustomMapping<Sighting, Scaled>(
            (row, to) =>
            {
                var factor = scale(row);
                to.Taught = [.. row.TeacherEmbedding.Select(value => value * factor)];
            },
            contractName: null).Fit(rows),
        "Taught");

    private sealed class OfRows : nn.Module<Tensor, Tensor>
    {
        private readonly Func<Tensor, Tensor> _function;

        public OfRows(Func<Tensor, Tensor> function)
            : base(nameof(OfRows))
        {
            _function = function;
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => _function(input);
    }

    private sealed class Scaled
    {
        [VectorType(ToyEmbeddings.TeacherLength)]
        public float[] Taught { get; set; } = [];
    }
}
