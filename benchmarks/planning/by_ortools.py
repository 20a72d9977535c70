"""A piece as OR-Tools sees it: the baseline that many would take first (guided local search)."""

from time import process_time
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from fieldservice.dispatch.planning.by_vroom import Orders
from fieldservice.dispatch.planning.piece import Piece

DAY = 86_400


def solve(piece: Piece, seconds: float) -> Orders:
    """The orders found in so many CPU seconds."""
    until = process_time() + seconds
    legs = piece.legs.tolist()
    jobs, days = len(piece.jobs), len(piece.shifts)
    place = list(piece.job_places) + [shift.start_place for shift in piece.shifts]
    at = [jobs + day for day in range(days)]
    manager = pywrapcp.RoutingIndexManager(jobs + days, days, at, at)
    model = pywrapcp.RoutingModel(manager)

    def way(origin: int, destination: int) -> int:
        return int(legs[place[manager.IndexToNode(origin)]][place[manager.IndexToNode(destination)]])

    def time(origin: int, destination: int) -> int:
        node = manager.IndexToNode(origin)
        return way(origin, destination) + (piece.job_seconds[node] if node < jobs else 0)

    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitCallback(way))
    timing = model.RegisterTransitCallback(time)
    model.AddDimension(timing, DAY, DAY, False, "time")
    dimension = model.GetDimensionOrDie("time")
    solver = model.solver()
    for job in range(jobs):
        index = manager.NodeToIndex(job)
        able = [day for day in range(days) if piece.eligible[job, day]]
        window = piece.steps[job][0].windows[0]
        dimension.CumulVar(index).SetRange(window.start, window.end)
        model.AddDisjunction([index], int(piece.prizes[job]))
        model.VehicleVar(index).SetValues([-1, *able])
    services = [piece.job_seconds[node] if node < jobs else 0 for node in range(jobs)]
    visits = [0] * model.Size()
    for node, service in enumerate(services):
        visits[manager.NodeToIndex(node)] = service
    for day, shift in enumerate(piece.shifts):
        dimension.CumulVar(model.Start(day)).SetRange(shift.start, shift.latest)
        dimension.CumulVar(model.End(day)).SetRange(shift.start, shift.latest)
        breaks: list[Any] = [
            solver.FixedDurationIntervalVar(one.earliest, one.latest, one.seconds, False, f"break {day}")
            for one in shift.breaks
        ]
        dimension.SetBreakIntervalsOfVehicle(breaks, day, visits)
    wishes = pywrapcp.DefaultRoutingSearchParameters()
    wishes.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    wishes.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    model.AddSearchMonitor(solver.CustomLimit(lambda: process_time() >= until))  # its own limit is the wall's
    found = model.SolveWithParameters(wishes)
    orders: Orders = [[] for _day in range(days)]
    for day in range(days) if found else ():
        index = found.Value(model.NextVar(model.Start(day)))
        while not model.IsEnd(index):
            orders[day].append(manager.IndexToNode(index))
            index = found.Value(model.NextVar(index))
    return orders
