using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Tests.Support;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Linear = MlNetDistill.Networks.Linear;

namespace MlNetDistill.Tests.Persistence;

/// <summary>A user's own network whose ONNX form is not what it computes: found before training where possible, and never at the price of the weights.</summary>
public sealed class ExportFailureTests
{
    private readonly MLContext _context = Rows.Context();

    [Test]
    public void A_network_that_cannot_be_exported_is_refused_before_training()
    {
        var progress = new RowsProgress(_ => { });
        var thrown = Assert.Throws<StudentExportException>(
            () => _context.Fit(Rows.Quick() with { Student = new ShiftedSpec(0.5), Progress = progress }, _context.Keyed(Rows.Points())));
        Assert.Multiple(() =>
        {
            Assert.That(thrown!.Message, Does.StartWith("shifted and its ONNX form differ by up to ").And.Contain("before training"));
            Assert.That(thrown.Student, Is.Null);
            Assert.That(progress.Reports, Is.Empty);
        });
    }

    [Test]
    public void A_network_that_cannot_be_exported_after_training_comes_with_the_exception()
    {
        var points = Rows.Points();
        var thrown = Assert.Throws<StudentExportException>(
            () => _context.Fit(Rows.Quick() with { Student = new ShiftedSpec(0) }, _context.Keyed(points)));
        Assert.That(thrown!.Message, Does.StartWith("The trained shifted and its ONNX form differ by up to ").And.Contain("column 'Features': scale them").And.Contain("exception's Student"));

        using var network = thrown.Student!.ToNetwork();
        using var features = tensor(points.SelectMany(p => p.Features).ToArray(), [points.Length, 4]);
        using var predicted = network.forward(features).Logits.argmax(1);
        var names = predicted.data<long>().Select(c => Rows.Classes[c]).ToArray();
        Assert.Multiple(() =>
        {
            Assert.That(thrown.Student.History, Has.Count.EqualTo(6));
            Assert.That(names.Zip(points).Count(p => p.First == p.Second.Label), Is.GreaterThan(0.9 * points.Length), "the trained weights, not fresh ones");
        });
    }

    [Test]
    public void A_student_of_embeddings_that_cannot_be_exported_after_training_comes_with_the_exception()
    {
        var rows = _context.View(ToyEmbeddings.Draw(200, 20));
        var untrained = Assert.Throws<StudentExportException>(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = new ShiftedSpec(0.5) }).Fit(rows));
        Assert.That(untrained!.Message, Does.Contain("before training"));
        Assert.That((untrained.Embedding, untrained.Student), Is.EqualTo(((DistilledEmbedding?)null, (DistilledStudent?)null)));

        var thrown = Assert.Throws<StudentExportException>(
            () => _context.Transforms.DistillEmbedding(ToyEmbeddings.Options() with { Student = new ShiftedSpec(0) }).Fit(rows));
        Assert.That(thrown!.Message, Does.StartWith("The trained shifted").And.Contain("exception's Embedding"));
        Assert.That(thrown.Embedding!.History, Is.Not.Empty);
        using var network = thrown.Embedding.ToNetwork();
        var shift = network.named_parameters().Single(p => p.name.EndsWith("_shift", StringComparison.Ordinal)).parameter;
        Assert.That(shift.data<float>(), Has.Some.Not.Zero, "the trained weights, not fresh ones");
    }

    /// <summary>Adds a learnt number to everything, and forgets to say so in the graph.</summary>
    private sealed record ShiftedSpec(double Start) : NetworkSpec
    {
        public override string Name => "shifted";

        protected override NetworkPlan Plan(InputShape shape, int logitCount, Generator generator) =>
            new([new Linear(shape.Length, 8, generator), new Shift(Start), new Relu()], [], 8);
    }

    private sealed class Shift : Block
    {
        private readonly Parameter _shift;

        public Shift(double start)
        {
            _shift = new Parameter(full(8, start, float32));
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => input.add(_shift);

        public override string Emit(OnnxGraph graph, string input) => input;
    }
}
