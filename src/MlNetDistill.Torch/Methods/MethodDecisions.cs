namespace MlNetDistill.Methods;

/// <summary>A choice that a method made by how training had gone.</summary>
/// <param name="Question">What was to be chosen.</param>
/// <param name="Choice">What was chosen, by number.</param>
internal sealed record MethodDecision(string Question, int Choice);

/// <summary>The choices of a method in order: those of a saved run are made again without looking at the student, which stands where later ones led it.</summary>
internal sealed class MethodDecisions(List<MethodDecision> decisions)
{
    private int _next;

    public int Decide(string question, Func<int> choose)
    {
        if (_next == decisions.Count)
            decisions.Add(new MethodDecision(question, choose()));
        var decision = decisions[_next++];
        return decision.Question == question ? decision.Choice : throw new InvalidOperationException(
            $"The method asks '{question}', and the state of its training answers '{decision.Question}': the method or its settings are others than those it was trained with.");
    }
}
