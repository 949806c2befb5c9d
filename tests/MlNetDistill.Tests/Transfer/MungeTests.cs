using System.Text.Json;
using Microsoft.ML.Data;
using MlNetDistill.Reading;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Transfer;

public sealed class MungeTests
{
    private static readonly IReadOnlyList<JsonElement> Records = [.. Golden.Records("tabular.json").Where(r => r.GetProperty("name").GetString() == "munge")];

    private sealed class Four
    {
        [VectorType(3)]
        public double[] Numbers { get; set; } = [];

        public string Category { get; set; } = "";
    }

    private sealed class Three
    {
        [VectorType(3)]
        public double[] Numbers { get; set; } = [];
    }

    [Test]
    public void The_nearest_neighbours_and_the_mixed_rows_are_the_references([Values(0, 1)] int record)
    {
        var (inputs, parameters, expected) = (Records[record].GetProperty("inputs"), Records[record].GetProperty("params"), Records[record].GetProperty("expected"));
        var (x, uniform, normal) = (Matrix(inputs.GetProperty("x")), Matrix(inputs.GetProperty("uniform")), Matrix(inputs.GetProperty("normal")));
        var (probability, spread) = (parameters.GetProperty("probability").GetDouble(), parameters.GetProperty("s").GetDouble());
        var hasCategory = parameters.GetProperty("categorical_columns").GetArrayLength() > 0;
        var rows = Parents(x, hasCategory);
        var neighbours = Neighbours.Find(rows, [.. Enumerable.Range(0, x.Length)], 1, 0, CancellationToken.None).Select(n => n![0]).ToArray();
        Assert.That(neighbours, Is.EqualTo(Golden.Integers(expected.GetProperty("neighbour")).Select(n => (int)n)));
        var mixed = x.Select((row, i) => row.Select((own, a) =>
        {
            var other = x[neighbours[i]][a];
            return hasCategory && a == 3 ? uniform[i][a] < probability ? other : own : MungeRule.Mix(own, other, uniform[i][a], normal[i][a], probability, spread);
        }).ToArray());
        Assert.That(mixed.SelectMany(row => row), Is.EqualTo(Matrix(expected.GetProperty("augmented")).SelectMany(row => row)).Within(1e-15));
    }

    private static ParentRows Parents(double[][] x, bool hasCategory)
    {
        var context = Rows.Context();
        var view = hasCategory
            ? context.Data.LoadFromEnumerable(x.Select(row => new Four { Numbers = row[..3], Category = $"{row[3]}" }))
            : context.Data.LoadFromEnumerable(x.Select(row => new Three { Numbers = row }));
        return ParentRows.Read(view, view.Schema, [], CancellationToken.None);
    }

    private static double[][] Matrix(JsonElement value) =>
        [.. Golden.Numbers(value.GetProperty("data")).Chunk((int)Golden.Integers(value.GetProperty("shape"))[1])];
}
