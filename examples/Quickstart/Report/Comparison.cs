using Microsoft.ML;
using MlNetDistill;
using Quickstart.Data;
using Spectre.Console;

namespace Quickstart.Report;

/// <summary>The table at the end: what a model is worth, and what it costs.</summary>
internal sealed class Comparison(MLContext mlContext, Workload work, ITransformer teacher)
{
    private readonly Answers _teacher = new(teacher, work.Test);

    // No vertical lines and little padding: it fits into 80 columns.
    private readonly Table _table = new Table { Border = TableBorder.Horizontal, Caption = new TableTitle("KL(teacher ‖ student) in nats", Style.Plain) }
        .AddColumn("On the test rows")
        .AddColumn(Figure("Accuracy"))
        .AddColumn(Figure("Agreement"))
        .AddColumn(Figure("KL"))
        .AddColumn(Figure("Parameters"))
        .AddColumn(Figure("Zip"))
        .AddColumn(Figure("µs/row"));

    public Comparison Add(string name, ITransformer model)
    {
        var answers = new Answers(model, work.Test);
        _table.AddRow(
            name,
            $"{answers.Accuracy:0.00 %}",
            model == teacher ? "" : $"{answers.AgreementWith(_teacher):0.00 %}",
            model == teacher ? "" : $"{answers.DivergenceFrom(_teacher):0.000}",
            $"{Parameters(model):N0}",
            $"{ZipBytes(model) / 1024.0:N0} KB",
            $"{work.MicrosecondsARow(model):N0}");
        return this;
    }

    public void Print() => AnsiConsole.Write(_table);

    private static TableColumn Figure(string heading) => new TableColumn(heading).RightAligned().PadLeft(0);

    private static long Parameters(ITransformer model) =>
        ((IEnumerable<ITransformer>)model).OfType<DistillationTransformer>().Single().Model.ParameterCount;

    private long ZipBytes(ITransformer model)
    {
        using var zip = new MemoryStream();
        mlContext.Model.Save(model, work.Train.Schema, zip);
        return zip.ToArray().LongLength;
    }
}
